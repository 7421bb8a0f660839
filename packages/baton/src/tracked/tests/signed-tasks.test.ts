// What signed tasks go through: retries, copies, dead letters that are put back, delays, ticks, and changes of keys.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { RejectTask } from '../../task/errors.ts';
import { chain, group, member } from '../../task/flow.ts';
import type { DeadLetterOutcome } from '../../task/outcome.ts';
import { tickTaskId, tickTime } from '../../task/schedule.ts';
import type { Signing, SigningKey } from '../../aws/signing.ts';
import { tickBody } from '../../sqs/tick-message.ts';
import { signingBy, signingKey } from '../../../tests/support/signing-keys.ts';
import { AttackedStage, count, hourly, pay, sum, told } from './attacked-stage.ts';

const HOUR_MS = 3_600_000;
const [k1, k2] = [signingKey('k1'), signingKey('k2')];
let stage: AttackedStage;
beforeAll(async () => {
  stage = await AttackedStage.start(signingBy([k1]));
});
beforeEach(() => stage.begin());
afterAll(() => stage.stop());

const REFUSED = { kind: 'dead-letter', reason: 'bad-signature' };
const DONE = { kind: 'done' };
const bodyOf = (place: number) => stage.sent[place]?.body ?? '';

test('a chain with a listener runs to its end', async () => {
  const handle = await stage.tasks.start(chain([count, count, count]), 1, { subject: 'o-1', onEnd: told });
  await stage.receiveAll();
  await expect(handle.result()).resolves.toBe(4);
  const [, second, third, listener] = stage.sent;
  expect(listener?.queue).toBe(told.queue);
  for (const sent of [second, third, listener]) expect(sent?.body).toMatch(/^\{"signature":"k1:/);
});

test('a group runs to its end, and a chain that is cancelled is cancelled to its end', async () => {
  const handle = await stage.tasks.start(group([member(count, 1), member(count, 2)], sum));
  await stage.receiveAll();
  await expect(handle.result()).resolves.toBe(5);
  const chained = await stage.tasks.start(chain([count, count]), 1, { onEnd: told });
  await chained.cancel({ by: 'operator' });
  await expect(stage.stateOf(chained.taskId)).resolves.toBe('cancelled');
  expect(stage.sent.at(-1)?.queue).toBe(told.queue);
});

test('a task that fails is tried again, and starts again however its dead letter is put back', async () => {
  const { taskId } = await stage.tasks.send(pay, { to: 'Ann' });
  stage.does = () => {
    throw new Error('away');
  };
  await expect(stage.receiveSent(0)).resolves.toMatchObject({ kind: 'retry' });
  stage.does = () => {
    throw new RejectTask('no money');
  };
  stage.aheadMs = 5000;
  const byTool = (await stage.receiveSent(0)) as DeadLetterOutcome;
  const details = JSON.stringify({ deadAt: byTool.end?.at });
  stage.aheadMs = 10_000;
  await expect(stage.receiveSent(0, { 'baton.details': details })).resolves.toMatchObject({
    reason: 'rejected',
  });
  stage.does = undefined;
  stage.aheadMs = 20_000;
  // By hand: the body alone
  await expect(stage.receiveSent(0, { 'baton.sent-at': String(Date.now() + 15_000) })).resolves.toMatchObject(
    DONE,
  );
  await expect(stage.store.find(taskId)).resolves.toMatchObject({ state: 'succeeded', deaths: 2 });
});

test('a task with a delay of days waits for its time, and then runs', async () => {
  await stage.tasks.send(pay, { to: 'Ann' }, { delaySeconds: 10 * 86_400 });
  await expect(stage.receiveSent(0)).resolves.toMatchObject({ kind: 'release' });
  stage.aheadMs = 10 * 86_400_000 + 1000;
  await expect(stage.receiveSent(0)).resolves.toMatchObject(DONE);
});

describe('a tick', () => {
  const hour = (ago: number) => tickTime(new Date(Math.floor(Date.now() / HOUR_MS - ago) * HOUR_MS));
  const receive = (body: string) => stage.receiveBody(body, hourly.queue, {});

  test('that a worker sends is signed', async () => {
    const taskId = tickTaskId(hourly.name, hour(100));
    await stage.tasks.send(hourly, {}, { taskId });
    expect(bodyOf(0)).toMatch(/^\{"signature":"k1:/);
    await expect(stage.receiveSent(0)).resolves.toMatchObject(DONE);
  });

  test('that EventBridge Scheduler sends needs no signature, and runs once', async () => {
    const time = hour(1);
    const body = tickBody(hourly, time);
    await expect(receive(body)).resolves.toMatchObject(DONE);
    await expect(receive(body)).resolves.toMatchObject(DONE);
    expect(stage.handled).toEqual([[hourly.name, {}]]);
    // A worker that ticks too sends the same task
    await stage.tasks.send(hourly, {}, { taskId: tickTaskId(hourly.name, time) });
    expect(stage.sent).toEqual([]);
  });

  const fails = () => {
    throw new RejectTask('no');
  };

  test.each<[string, Record<string, string>]>([
    ['an end', { 'baton.dead-at': '9' }],
    ['the details of a dead letter', { 'baton.details': JSON.stringify({ deadAt: '9' }) }],
    ['a later send', { 'baton.sent-at': '9'.repeat(13) }],
  ])('that failed does not run again because somebody without a key names %s', async (_what, notes) => {
    const body = tickBody(hourly, hour(5));
    stage.does = fails;
    await receive(body);
    stage.does = undefined;
    stage.aheadMs = 60_000;
    stage.handled = [];
    await expect(stage.receiveBody(body, hourly.queue, notes)).resolves.toMatchObject({ reason: 'rejected' });
    expect(stage.handled).toEqual([]);
  });

  test('that failed is signed in its dead letter, which can be put back', async () => {
    stage.does = fails;
    const { body = '', end } = (await receive(tickBody(hourly, hour(6)))) as DeadLetterOutcome;
    expect(body).toMatch(/^\{"signature":"k1:/);
    stage.does = undefined;
    stage.aheadMs = 60_000;
    const notes = { 'baton.details': JSON.stringify({ deadAt: end?.at }), 'baton.put-back-by': 'ann' };
    await expect(stage.receiveBody(body, hourly.queue, notes)).resolves.toMatchObject(DONE);
    expect(stage.handled).toHaveLength(2);
  });

  test('that is not done yet is signed in its copy, unless somebody gave it notes', async () => {
    const body = tickBody(hourly, hour(7));
    await stage.receiveBody(body, hourly.queue, {});
    await expect(stage.receiveBody(body, hourly.queue, { 'baton.dead-at': '9' })).resolves.toEqual({
      kind: 'done',
      result: undefined,
    });
    const other = tickBody(hourly, hour(8));
    stage.does = () => {
      throw new Error('temporary');
    };
    const first = await stage.receiveBody(other, hourly.queue, {});
    expect(first).toMatchObject({ kind: 'retry', body: expect.stringMatching(/^\{"signature":"k1:/) });
    stage.aheadMs = 60_000;
    const noted = await stage.receiveBody(other, hourly.queue, { 'baton.dead-at': '9' });
    expect(noted).toMatchObject({ kind: 'retry' });
    expect(noted).not.toHaveProperty('body');
  });

  test.each<[string, () => string]>([
    ['a time that is no tick', () => tickBody(hourly, hour(3).replace(':00:00Z', ':00:01Z'))],
    ['a time to come', () => tickBody(hourly, hour(-1))],
    ['a time of 15 days ago', () => tickBody(hourly, hour(15 * 24))],
    ['no time', () => tickBody(hourly, '2026-99-99T00:00:00Z')],
    ['a payload', () => tickBody(hourly, hour(4)).replace('"data":{}', '"data":{"to":"Eve"}')],
    ['a link', () => tickBody(hourly, hour(4)).replace('"data":{}', '"flowend":"a b c","data":{}')],
    ['a second id', () => tickBody(hourly, hour(4)).replace('}}', `},"id":"${randomUUID()}"}`)],
    [
      'another contract behind its id',
      () => tickBody(hourly, hour(4)).replace(`"type":"${hourly.name}"`, `"type":"${count.name}"`),
    ],
    ['a contract without a schedule', () => tickBody(hourly, hour(4)).replaceAll(hourly.name, count.name)],
    ['a contract that nobody knows', () => tickBody({ ...hourly, name: 'eve.hourly' }, hour(4))],
  ])('with %s needs a signature', async (_what, write) => {
    const forged = write();
    expect(forged).not.toBe(tickBody(hourly, hour(4)));
    await expect(receive(forged)).resolves.toMatchObject(REFUSED);
    expect(stage.handled).toEqual([]);
  });
});

describe('a change of keys', () => {
  const by = (keys: readonly SigningKey[], required = true): AttackedStage =>
    stage.with(signingBy(keys, required));

  test('accepts the old key while it is in the list, and refuses it afterwards', async () => {
    await stage.tasks.start(chain([count, count]), 1);
    const [next, last] = [by([k2, k1]), by([k2])];
    await expect(last.receiveBody(bodyOf(0), count.queue)).resolves.toMatchObject(REFUSED);
    await expect(next.receiveBody(bodyOf(0), count.queue)).resolves.toMatchObject(DONE);
    expect(next.sent[0]?.body).toMatch(/^\{"signature":"k2:/);
    // The row of the second task still has the old key's signature
    await expect(last.receiveBody(next.sent[0]?.body ?? '', count.queue)).resolves.toMatchObject(REFUSED);
  });

  test('adds the new key last, so that processes that do not sign with it accept it already', async () => {
    const [first, second] = [by([k1, k2]), by([k2, k1])];
    await second.tasks.send(pay, { to: 'Ann' });
    await expect(first.receiveBody(second.sent[0]?.body ?? '', pay.queue)).resolves.toMatchObject(DONE);
  });
});

describe('the first keys', () => {
  const accepting: Signing = signingBy([k1], false);

  test('accept what was sent without, as long as TASK_SIGNING is accept, and say each time what lacks a signature', async () => {
    const [unsigned, rollout] = [stage.with(), stage.with(accepting)];
    const handle = await unsigned.tasks.start(chain([count, count]), 1);
    await expect(rollout.receiveBody(unsigned.sent[0]?.body ?? '', count.queue)).resolves.toMatchObject(DONE);
    await rollout.receiveAll();
    await expect(handle.result()).resolves.toBe(3);
    expect(rollout.lines.filter((line) => line.includes('message without a valid signature'))).toHaveLength(
      1,
    );
    expect(rollout.lines.filter((line) => line.includes('row without a valid signature'))).toHaveLength(2);
    expect(rollout.sent[0]?.body).toMatch(/^\{"signature":"k1:/);
  });

  test('sign what processes without keys still run', async () => {
    const [unsigned, rollout] = [stage.with(), stage.with(accepting)];
    await rollout.tasks.send(pay, { to: 'Ann' });
    await expect(unsigned.receiveBody(rollout.sent[0]?.body ?? '', pay.queue)).resolves.toMatchObject(DONE);
  });

  test('refuse what was sent without once they are required', async () => {
    const unsigned = stage.with();
    const { taskId } = await unsigned.tasks.send(pay, { to: 'Ann' });
    const body = unsigned.sent[0]?.body ?? '';
    await expect(stage.receiveBody(body, pay.queue)).resolves.toMatchObject(REFUSED);
    await expect(stage.stateOf(taskId)).resolves.toBe('queued');
  });
});

describe('keys that cannot be read', () => {
  const away: Signing = {
    keys: {
      value: () => Promise.reject(new Error('The secret is away')),
      refused: () => undefined,
    },
    required: true,
  };

  test('let nothing run and nothing be lost: the message comes back', async () => {
    await stage.tasks.send(pay, { to: 'Ann' });
    const waiting = stage.with(away);
    for (const body of [bodyOf(0), 'no JSON'])
      await expect(waiting.receiveBody(body, pay.queue)).resolves.toMatchObject({
        kind: 'release',
        delaySeconds: 30,
        error: { message: 'The secret is away' },
      });
    expect(waiting.handled).toEqual([]);
    await expect(stage.receiveSent(0)).resolves.toMatchObject(DONE);
  });

  test('let nothing be sent or written', async () => {
    const waiting = stage.with(away);
    const taskId = randomUUID();
    await expect(waiting.tasks.send(pay, { to: 'Ann' }, { taskId })).rejects.toThrow('The secret is away');
    await expect(waiting.tasks.start(group([member(count, 1)], sum))).rejects.toThrow('The secret is away');
    expect(waiting.sent).toEqual([]);
    await expect(stage.store.find(taskId)).resolves.toBeUndefined();
  });
});
