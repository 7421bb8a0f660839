// The attacks of somebody who may send to every queue and write every row, and has no key.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { RejectTask } from '../../task/errors.ts';
import { chain, group, member } from '../../task/flow.ts';
import { encodeEnvelope } from '../../sqs/envelope.ts';
import { signingBy, signingKey } from '../../../tests/support/signing-keys.ts';
import { AttackedStage, count, pay, sum, told } from './attacked-stage.ts';

const [k1, stolen] = [signingKey('k1'), signingKey('k1')];
let stage: AttackedStage;
/** The attacker's own processes, with a key that nobody else has. */
let thief: AttackedStage;
beforeAll(async () => {
  stage = await AttackedStage.start(signingBy([k1]));
  thief = stage.with(signingBy([stolen]));
});
beforeEach(() => {
  stage.begin();
  thief.begin();
});
afterAll(() => stage.stop());

const REFUSED = { kind: 'dead-letter', reason: 'bad-signature', error: { name: 'BadSignatureError' } };
const DONE = { kind: 'done' };
const bodyOf = (place: number) => stage.sent[place]?.body ?? '';
const signatureOf = (body: string) => /^\{"signature":"[^"]+",/.exec(body)?.[0] ?? '';

describe('a message', () => {
  test('without a signature does not run, and its only line shows nothing of its payload', async () => {
    const forged = { taskId: randomUUID(), task: pay.name, data: { to: 'Eve the thief' } };
    await expect(stage.receive(forged)).resolves.toMatchObject(REFUSED);
    expect(stage.handled).toEqual([]);
    expect(stage.lines).toHaveLength(1);
    expect(stage.lines[0]).toContain('has no signature');
    expect(stage.lines.join()).not.toContain('Eve');
    await expect(stage.store.find(forged.taskId)).resolves.toBeUndefined();
  });

  test('is refused before its body is parsed', async () => {
    const outcome = stage.receiveBody('no JSON at all', pay.queue);
    await expect(outcome).resolves.toMatchObject(REFUSED);
  });

  test("with another's key under a known id does not run", async () => {
    await thief.tasks.send(pay, { to: 'Eve' });
    const body = thief.sent[0]?.body ?? '';
    await expect(stage.receiveBody(body, pay.queue)).resolves.toMatchObject(REFUSED);
    expect(stage.handled).toEqual([]);
  });

  test('with an unknown key does not run, and the error names the key', async () => {
    const unknown = stage.with(signingBy([signingKey('eve')]));
    await unknown.tasks.send(pay, { to: 'Eve' });
    const outcome = await stage.receiveBody(unknown.sent[0]?.body ?? '', pay.queue);
    expect(outcome).toMatchObject({
      ...REFUSED,
      error: { message: expect.stringContaining('unknown key eve') },
    });
  });

  test.each<[string, (body: string, other: string) => string]>([
    ['another payload', (body) => body.replace('Ann', 'Eve')],
    ['another id', (body) => body.replace(/"id":"[^"]+"/, `"id":"${randomUUID()}"`)],
    ['another contract', (body) => body.replace(pay.name, 'payments.refund')],
    ['another version', (body) => body.replace('"data":', '"contractversion":2,"data":')],
    ['another sender', (body) => body.replace('"source":"orders"', '"source":"billing"')],
    ['no earliest start time', (body) => body.replace(/"notbefore":"[^"]+",/, '')],
    ['another subject', (body) => body.replace('o-1', 'o-2')],
    ['another parent', (body) => body.replace('"parentid":"p-1"', '"parentid":"p-2"')],
    ['a smaller depth', (body) => body.replace('"depth":3', '"depth":1')],
    ['another trace', (body) => body.replace('"traceparent":"00-', '"traceparent":"00-a')],
    ['a flow', (body) => body.replace('"data":', `"flowend":"${randomUUID()} a b","data":`)],
    ['a second payload', (body) => `${body.slice(0, -1)},"data":{"to":"Eve"}}`],
    ['a second signature', (body) => body.replace('{', '{"signature":"k1:none",')],
    ['one more space', (body) => `${body} `],
    ['no signature', (body) => body.replace(signatureOf(body), '{')],
    ['half a signature', (body) => body.replace(/("signature":"k1:.{20})[^"]+/, '$1')],
    ['no key in its signature', (body) => body.replace('"signature":"k1:', '"signature":":')],
    [
      'the signature of another message',
      (body, other) => body.replace(signatureOf(body), signatureOf(other)),
    ],
  ])('with %s than its sender wrote does not run', async (_what, change) => {
    const options = { delaySeconds: 3600, subject: 'o-1', parentId: 'p-1', depth: 3 };
    await stage.tasks.send(pay, { to: 'Ann' }, options);
    await stage.tasks.send(pay, { to: 'Bob' }, options);
    const changed = change(bodyOf(0), bodyOf(1));
    expect(changed).not.toBe(bodyOf(0));
    stage.aheadMs = 3_601_000;
    await expect(stage.receiveBody(changed, pay.queue)).resolves.toMatchObject(REFUSED);
    expect(stage.handled).toEqual([]);
    await expect(stage.receiveSent(0)).resolves.toMatchObject(DONE);
  });

  test('does not run from another queue, and runs from another lane of its own', async () => {
    await stage.tasks.send(pay, { to: 'Ann' });
    await expect(stage.receiveBody(bodyOf(0), count.queue)).resolves.toMatchObject(REFUSED);
    await expect(stage.receiveBody(bodyOf(0), `${pay.queue}_high`)).resolves.toMatchObject(DONE);
  });

  test('of a task that nobody knows is refused at once', async () => {
    const forged = { taskId: randomUUID(), task: 'eve.unknown', data: 1 };
    await expect(stage.receive(forged)).resolves.toMatchObject(REFUSED);
  });

  test('that its sender did not write starts no dead task again', async () => {
    stage.does = () => {
      throw new RejectTask('no money');
    };
    const { taskId } = await stage.tasks.send(pay, { to: 'Ann' });
    await stage.receiveSent(0);
    stage.does = undefined;
    const forged = { taskId, task: pay.name, data: { to: 'Ann' } };
    await expect(stage.receive(forged, { attributes: {} })).resolves.toMatchObject(REFUSED);
    await expect(stage.stateOf(taskId)).resolves.toBe('failed');
  });
});

describe('a row', () => {
  const evil = { taskId: randomUUID(), task: count.name, queue: count.queue };
  const listener = { task: told.name, queue: told.queue };

  /** A chain of two tasks with a listener, whose first message waits. */
  const start = async () => {
    const { taskId: last } = await stage.tasks.start(chain([count, count]), 1, { subject: 'o-1' });
    return { first: stage.taskIds.at(-1) ?? '', last };
  };

  test.each<[string, Readonly<Record<string, unknown>>]>([
    ['another task after it', { next: evil }],
    ['no task after it', { next: undefined }],
    ['neither a task after it nor a signature', { next: undefined, signature: undefined }],
    ['a listener', { onEnd: [listener] }],
    ['a group', { groupId: randomUUID() }],
    ["another flow's end", { flowEnd: evil }],
    ['a task before it', { afterId: evil.taskId }],
    ['a flow', { flowId: evil.taskId }],
    ['another parent', { parentId: 'p-2' }],
    ['another depth', { depth: 7 }],
    ['another trace', { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` }],
    ['another lane', { queue: `${count.queue}_high` }],
    ['no signature', { signature: undefined }],
    ['a signature of nobody', { signature: 'k1:none' }],
  ])('with %s than its sender wrote ends its task, and nothing follows', async (_what, changes) => {
    const { first, last } = await start();
    await stage.write(first, changes);
    await expect(stage.receiveSent(0)).resolves.toMatchObject(REFUSED);
    expect(stage.handled).toEqual([]);
    expect(stage.sent).toHaveLength(1);
    await expect(stage.store.find(first)).resolves.toMatchObject({
      state: 'dead',
      attempts: 0,
      error: { reason: 'bad-signature' },
    });
    await expect(stage.stateOf(last)).resolves.toBe('queued');
    // Its dead letter says the same again, and still nothing follows
    await expect(stage.receiveSent(0)).resolves.toMatchObject({ reason: 'bad-signature' });
    expect(stage.sent).toHaveLength(1);
  });

  test('with the signature of another row is refused', async () => {
    const [one, two] = [await start(), await start()];
    const { signature, next } = (await stage.store.read(two.first)) ?? {};
    await stage.write(one.first, { signature, next });
    await expect(stage.receiveSent(0)).resolves.toMatchObject(REFUSED);
  });

  test('that is written before the task is sent makes its sender wait in vain, and runs nothing', async () => {
    const taskId = randomUUID();
    await thief.store.create({ taskId, task: pay.name, queue: pay.queue, onEnd: [listener] });
    const { payloadHash } = await sentPay();
    await stage.write(taskId, { payloadHash });
    await stage.tasks.send(pay, { to: 'Ann' }, { taskId });
    await expect(stage.receiveSent(1)).resolves.toMatchObject(REFUSED);
    expect(stage.handled).toEqual([]);
  });

  const sentPay = async () => {
    const { taskId } = await stage.tasks.send(pay, { to: 'Ann' });
    return { ...(await stage.store.read(taskId)) };
  };

  test('whose links are changed while its task runs sends nothing, also when the message comes again', async () => {
    const { taskId } = await stage.tasks.send(pay, { to: 'Ann' });
    stage.does = async () => {
      await stage.write(taskId, { onEnd: [listener], next: evil });
      return 1;
    };
    await expect(stage.receiveSent(0)).resolves.toMatchObject(DONE);
    await expect(stage.receiveSent(0)).resolves.toMatchObject(DONE);
    expect(stage.sent).toHaveLength(1);
    // Only the second receive reads what the row says by then
    expect(stage.lines).toHaveLength(1);
    expect(stage.lines[0]).toContain('has a wrong signature');
  });

  test('whose listener was added is cancelled, and the listener is not told', async () => {
    const { taskId } = await stage.tasks.send(pay, { to: 'Ann' });
    await stage.write(taskId, { onEnd: [listener] });
    await expect(stage.tasks.cancel(taskId)).resolves.toMatchObject({ state: 'cancelled' });
    await expect(stage.receiveSent(0)).resolves.toMatchObject(DONE);
    expect(stage.lines.join()).toContain('has a wrong signature');
    expect(stage.sent).toHaveLength(1);
  });

  test('in the midst of a chain is not followed when the chain is cancelled', async () => {
    const victim = await sentPay();
    await stage.tasks.start(chain([count, count, count]), 1);
    const [, first = ''] = stage.taskIds;
    const second = (await stage.store.read(first))?.next?.taskId ?? '';
    await stage.write(second, { next: { taskId: victim.taskId, task: pay.name, queue: pay.queue } });
    await stage.write(victim.taskId ?? '', { afterId: second });
    await expect(stage.tasks.cancel(first)).resolves.toMatchObject({ state: 'cancelled' });
    await expect(stage.stateOf(second)).resolves.toBe('cancelled');
    await expect(stage.stateOf(victim.taskId ?? '')).resolves.toBe('queued');
  });

  test.each<[string, Readonly<Record<string, unknown>>]>([
    ['fewer members', { memberIds: ['one'] }],
    ['another task after it', { next: evil }],
    ['no signature', { signature: undefined }],
  ])('of a group with %s sends nothing', async (_what, changes) => {
    const handle = await stage.tasks.start(group([member(count, 1)], sum));
    const { groupId = '', taskId } = (await stage.store.read(stage.taskIds[0] ?? '')) ?? {};
    await stage.write(groupId, 'memberIds' in changes ? { memberIds: [taskId], next: evil } : changes);
    await stage.receiveSent(0);
    expect(stage.sent).toHaveLength(1);
    await expect(stage.stateOf(handle.taskId)).resolves.toBe('queued');
  });

  test('that a claim has made is signed by it: a listener that fails runs again', async () => {
    const taskId = randomUUID();
    const body = await stage.signatures?.signed(
      encodeEnvelope({
        taskId,
        task: count.name,
        source: 'orders',
        time: new Date().toISOString(),
        trace: undefined,
        subject: 'o-1',
        data: 1,
      }),
      count.queue,
    );
    stage.does = () => {
      throw new Error('once');
    };
    await expect(stage.receiveBody(body ?? '', count.queue)).resolves.toMatchObject({ kind: 'retry' });
    stage.does = undefined;
    stage.aheadMs = 5000;
    await expect(stage.receiveBody(body ?? '', count.queue)).resolves.toMatchObject(DONE);
    await stage.write(taskId, { state: 'queued', finishedAt: undefined, onEnd: [listener] });
    await expect(stage.receiveBody(body ?? '', count.queue)).resolves.toMatchObject(REFUSED);
  });
});
