// The attacks of a sender who copies another's message, with a version and notes of his own.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from 'baton-dev/testing/eventually';
import { RetryTask } from '../../task/errors.ts';
import { chain } from '../../task/flow.ts';
import { AttackedStage, count, pay } from './attacked-stage.ts';

let stage: AttackedStage;
beforeAll(async () => {
  stage = await AttackedStage.start();
});
beforeEach(() => stage.begin());
afterAll(() => stage.stop());

const MISMATCH = { kind: 'dead-letter', reason: 'mismatch' };
const DONE = { kind: 'done' };

describe("a message with another task's id", () => {
  test('and its own payload does not run it again beside its worker, although it names the claim in the row', async () => {
    const { taskId } = await stage.tasks.send(pay, { to: 'Ann' });
    const { promise, resolve } = Promise.withResolvers<number>();
    stage.does = () => promise;
    const running = stage.receiveSent(0);
    await eventually('the task running', () => stage.handled.length === 1);
    const { claimId = '', token } = (await stage.store.read(taskId)) ?? {};
    const forged = { 'baton.sent-at': '0', 'baton.unconcluded': claimId };
    await expect(stage.receiveSent(0, forged)).resolves.toMatchObject({
      kind: 'release',
      error: { name: 'TaskRunningError' },
    });
    // Nor does a process that does not know the task end it
    const newer = { taskId, task: pay.name, version: 999, data: { to: 'Ann' } };
    await stage.receive(newer, { attributes: forged });
    await expect(stage.store.read(taskId)).resolves.toMatchObject({ state: 'running', token, attempts: 1 });
    resolve(1);
    await expect(running).resolves.toMatchObject(DONE);
    expect(stage.handled).toEqual([[pay.name, { to: 'Ann' }]]);
  });

  test('and its own payload does not end that task by a version that no worker knows', async () => {
    const { taskId } = await stage.tasks.send(pay, { to: 'Ann' });
    const newer = { taskId, task: pay.name, version: 999, data: { to: 'Ann' } };
    const attributes = { 'baton.sent-at': '0', 'baton.unknown-times': '999999' };
    await expect(stage.receive(newer, { attributes })).resolves.toMatchObject(MISMATCH);
    await expect(stage.stateOf(taskId)).resolves.toBe('queued');
    // A row that the version before wrote gets its version with the first attempt
    await stage.write(taskId, { contractVersion: undefined });
    stage.does = () => {
      throw new RetryTask('later', { delaySeconds: 0 });
    };
    await expect(stage.receiveSent(0)).resolves.toMatchObject({ kind: 'retry' });
    await expect(stage.receive(newer, { attributes })).resolves.toMatchObject(MISMATCH);
    stage.does = undefined;
    await expect(stage.receiveSent(0)).resolves.toMatchObject(DONE);
  });

  test('and a version that no worker knows does not end a step of a chain before its turn', async () => {
    const handle = await stage.tasks.start(chain([count, count]), 1);
    const newer = { taskId: handle.taskId, task: count.name, version: 2, data: 2 };
    await expect(stage.receive(newer)).resolves.toMatchObject(MISMATCH);
    await stage.receiveAll();
    await expect(handle.result()).resolves.toBe(3);
  });
});
