import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, test } from '@jest/globals';
import { TaskClient } from 'baton-tasks/tooling';
import { type Backends, startBackends } from '../support/backends.ts';
import { DurableBroker } from '../support/durable-broker.ts';
import { eventually } from 'baton-dev/testing/eventually';
import { countMessages } from 'baton-dev/testing/message-counts';
import { NapSink } from '../support/nap-sink.ts';
import { freePort, Program } from 'baton-dev/testing/program';
import { type Misbehaviour, type NetworkMode, Proxy } from 'baton-dev/testing/proxy';
import { nap } from '../support/nap.ts';

const TROUBLE_MS = 2500;
const PATIENCE_MS = 45_000;
const GARBAGE_MS = 3000;
/** Requests during the garbage: far fewer than without back-off, far more than with it. */
const MAX_ASKED = 60;

interface Setting {
  readonly backends: Backends;
  readonly proxy: Proxy;
  readonly worker: Program;
  readonly health: string;
  readonly tasks: TaskClient;
  readonly sink: NapSink;
}

const settings: Setting[] = [];
const brokers: DurableBroker[] = [];
afterEach(async () => {
  for (const { worker, proxy, backends, sink } of settings.splice(0)) {
    await worker.stop('SIGKILL');
    await proxy.stop();
    await backends.stop();
    sink.clear();
  }
  for (const broker of brokers.splice(0)) await broker.stop();
});

/** Starts a worker with a lease of 3 s. All its traffic with the broker goes through a proxy. */
async function start(sqsEndpoint?: string): Promise<Setting> {
  const backends = await startBackends(['default'], sqsEndpoint === undefined ? {} : { sqsEndpoint });
  const proxy = await Proxy.start(backends.environment['AWS_ENDPOINT_URL_SQS'] ?? '');
  const sink = new NapSink();
  const port = await freePort();
  const worker = new Program('packages/baton/tests/support/test-worker.ts', {
    ...backends.environment,
    WORKER_LEASE_SECONDS: '3',
    WORKER_WAIT_SECONDS: '1',
    HEALTH_PORT: String(port),
    NAP_SINK: sink.path,
    AWS_ENDPOINT_URL_SQS: proxy.endpoint,
  });
  const tasks = new TaskClient({ sqs: backends.sqs, queueUrls: backends.queueUrls, source: 'tests' });
  const setting = { backends, proxy, worker, health: `http://127.0.0.1:${port}/health/ready`, tasks, sink };
  settings.push(setting);
  await worker.says('worker started', PATIENCE_MS);
  return setting;
}

/** Lets the network misbehave for a while, until at least one request has met it. */
async function trouble(proxy: Proxy, mode: NetworkMode, misbehaviour: Misbehaviour = {}): Promise<void> {
  const endMs = performance.now() + TROUBLE_MS;
  proxy.change(mode, misbehaviour);
  await eventually('the end of the trouble', () => performance.now() > endMs && proxy.troubled > 0);
  proxy.change('pass');
}

async function sendNaps({ tasks }: Setting, lengthsMs: readonly number[]): Promise<string[]> {
  const sent = await Promise.all(lengthsMs.map((ms) => tasks.send(nap, { ms })));
  return sent.map(({ taskId }) => taskId);
}

/** Waits until these tasks are done and their queue is empty. Throws if a message is deleted before its task ends. */
async function untilAllAreDone(
  { backends, sink }: Setting,
  ids: readonly string[],
  what = '',
): Promise<void> {
  const QueueUrl = backends.queueUrls.of('default');
  await eventually(
    `every task done and the queue empty (${what})`,
    async () => {
      const { visible, hidden } = await countMessages(backends, QueueUrl);
      const undone = ids.filter((id) => !sink.done.has(id)).length;
      if (undone > visible + hidden) throw new Error(`a task was acknowledged before it was done (${what})`);
      return visible + hidden === 0;
    },
    PATIENCE_MS,
  );
}

/** Responses that SQS never gives: not HTTP, or HTTP with other content. */
const GARBAGE: [string, string | Buffer][] = [
  ['random bytes', randomBytes(200)],
  ['an empty object', http('200 OK', 'application/x-amz-json-1.0', '{}')],
  ['a web page', http('200 OK', 'text/html', '<!doctype html><title>Welcome</title>')],
  ['an error that is not from SQS', http('500 Internal Server Error', 'text/plain', 'oops')],
];

function http(status: string, type: string, body: string): string {
  return `HTTP/1.1 ${status}\r\ncontent-type: ${type}\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

/** How often the worker has logged the start and the end of trouble with its queue. */
const beginsOf = ({ worker }: Setting): number => worker.output.split('"message":"cannot receive').length - 1;
const endsOf = ({ worker }: Setting): number =>
  worker.output.split('receiving from default again').length - 1;

const MODES: NetworkMode[] = ['cut', 'half-open', 'reset', 'slow'];
const CALLS: [string, string | undefined][] = [
  ['every call', undefined],
  ['receives', 'ReceiveMessage'],
  ['heartbeats', 'ChangeMessageVisibilityBatch'],
  ['deletes', 'DeleteMessageBatch'],
];

describe('a network that is cut, half open, slow, or resets connections', () => {
  test('loses no task, in each case for all calls, or only for receives, heartbeats or deletes', async () => {
    const combinations = MODES.flatMap((mode) => CALLS.map(([calls, action]) => ({ mode, calls, action })));
    const outcomes = combinations.map(async ({ mode, calls, action }) => {
      const setting = await start();
      const ids = await sendNaps(setting, [500, 1000, 2000, 4000]);
      await setting.worker.says('nap begins');
      await trouble(setting.proxy, mode, { action });
      await untilAllAreDone(setting, ids, `${calls} ${mode}`);
    });
    await expect(Promise.all(outcomes)).resolves.toHaveLength(16);
  }, 120_000);

  test('does not stop an idle worker: it recovers, and logs one line at the start and one at the end', async () => {
    const outcomes = MODES.map(async (mode) => {
      const setting = await start();
      await trouble(setting.proxy, mode);
      await untilAllAreDone(setting, await sendNaps(setting, [0]), mode);
      return [mode, beginsOf(setting), endsOf(setting)];
    });
    await expect(Promise.all(outcomes)).resolves.toEqual(
      MODES.map((mode) => (mode === 'slow' ? [mode, 0, 0] : [mode, 1, 1])),
    );
  }, 90_000);
});

describe('an endpoint that is not SQS and answers at once', () => {
  test('makes the worker unready and back off; it recovers, and logs one line at the start and one at the end', async () => {
    const outcomes = GARBAGE.map(async ([what, answer]) => {
      const setting = await start();
      const before = await sendNaps(setting, [1000]);
      await setting.worker.says('nap begins');
      const endMs = performance.now() + GARBAGE_MS;
      setting.proxy.change('garbage', { answer });
      await eventually('the end of the garbage', () => performance.now() > endMs);
      const asked = setting.proxy.troubled;
      const { status } = await fetch(setting.health);
      setting.proxy.change('pass');
      await untilAllAreDone(setting, [...before, ...(await sendNaps(setting, [0]))], what);
      await eventually('readiness', async () => (await fetch(setting.health)).ok, PATIENCE_MS);
      const hot = asked > MAX_ASKED;
      return { what, hot, status, begins: beginsOf(setting), ends: endsOf(setting) };
    });
    await expect(Promise.all(outcomes)).resolves.toEqual(
      GARBAGE.map(([what]) =>
        // SQS answers so if a queue is empty, so the worker stays ready
        what === 'an empty object'
          ? { what, hot: false, status: 200, begins: 0, ends: 0 }
          : { what, hot: false, status: 503, begins: 1, ends: 1 },
      ),
    );
  }, 90_000);
});

test('hanging heartbeats do not delay the delete of a finished task', async () => {
  const setting = await start();
  setting.proxy.change('half-open', { action: 'ChangeMessageVisibilityBatch' });
  await untilAllAreDone(setting, await sendNaps(setting, [1500]));
  expect([...setting.sink.done.values()]).toEqual([1]);
}, 90_000);

describe('a broker that dies and restarts with its messages', () => {
  test('loses none of the running tasks', async () => {
    const broker = await DurableBroker.start();
    brokers.push(broker);
    const setting = await start(broker.endpoint);
    const ids = await sendNaps(
      setting,
      Array.from({ length: 60 }, (_, index) => index * 25),
    );
    for (const [index, signal] of (['SIGKILL', 'SIGTERM', 'SIGKILL'] as const).entries()) {
      await eventually('some more done', () => setting.sink.done.size >= 5 + 15 * index, PATIENCE_MS);
      await broker.kill(signal);
      await eventually('the worker to notice', () => beginsOf(setting) > index, PATIENCE_MS);
      await broker.startAgain();
    }
    await untilAllAreDone(setting, ids);
    expect(setting.sink.done.size).toBe(60);
    expect(endsOf(setting)).toBe(beginsOf(setting));
  }, 120_000);
});
