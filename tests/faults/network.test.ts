import { afterEach, describe, expect, test } from '@jest/globals';
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { TaskClient } from '@baton/common/queue/task-client';
import { type Backends, startBackends } from '../support/backends.ts';
import { eventually } from '../support/eventually.ts';
import { freePort, Program } from '../support/program.ts';
import { type NetworkMode, Proxy } from '../support/proxy.ts';
import { nap } from '../support/test-worker.ts';

const TROUBLE_MS = 2500;

interface Setting {
  readonly backends: Backends;
  readonly proxy: Proxy;
  readonly worker: Program;
  readonly tasks: TaskClient;
}

const settings: Setting[] = [];
afterEach(async () => {
  for (const { worker, proxy, backends } of settings.splice(0)) {
    await worker.stop('SIGKILL');
    await proxy.stop();
    await backends.stop();
  }
});

/** A worker with a lease of 3 s, whose every byte to and from its broker goes through a proxy. */
async function start(): Promise<Setting> {
  const backends = await startBackends(['worker']);
  const proxy = await Proxy.start(backends.environment['AWS_ENDPOINT_URL_SQS'] ?? '');
  const own = { LEASE_SECONDS: '3', WORKER_WAIT_SECONDS: '1', HEALTH_PORT: String(await freePort()) };
  const environment = { ...backends.environment, ...own, AWS_ENDPOINT_URL_SQS: proxy.endpoint };
  const worker = new Program('tests/support/test-worker.ts', environment);
  const tasks = new TaskClient({ sqs: backends.sqs, queueUrls: backends.queueUrls, source: 'tests' });
  const setting = { backends, proxy, worker, tasks };
  settings.push(setting);
  await worker.says('worker started');
  return setting;
}

/** The network misbehaves for a while. */
async function trouble(proxy: Proxy, mode: NetworkMode): Promise<void> {
  const endMs = performance.now() + TROUBLE_MS;
  proxy.change(mode);
  await eventually('the end of the trouble', () => performance.now() > endMs);
  proxy.change('pass');
}

function doneBy({ worker }: Setting): Set<unknown> {
  return new Set(
    worker.lines.filter(({ message }) => message === 'tests.nap done').map(({ taskId }) => taskId),
  );
}

async function emptyQueue({ backends }: Setting): Promise<boolean> {
  const { Attributes = {} } = await backends.sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: backends.queueUrls.of('default'), AttributeNames: ['All'] }),
  );
  return (
    Number(Attributes.ApproximateNumberOfMessages) +
      Number(Attributes.ApproximateNumberOfMessagesNotVisible) ===
    0
  );
}

const MODES: NetworkMode[] = ['cut', 'half-open', 'reset', 'slow'];

describe('a network that is cut, half open, reset in mid-answer or slow', () => {
  test('while tasks run and settle loses none of them', async () => {
    const outcomes = MODES.map(async (mode) => {
      const setting = await start();
      const sent = await Promise.all([500, 1000, 2000, 4000].map((ms) => setting.tasks.send(nap, { ms })));
      await setting.worker.says('nap begins');
      await trouble(setting.proxy, mode);
      const ids = sent.map(({ taskId }) => taskId);
      await eventually(`every task done (${mode})`, () => ids.every((id) => doneBy(setting).has(id)), 25_000);
      await eventually(`an empty queue (${mode})`, () => emptyQueue(setting), 15_000);
      return mode;
    });
    await expect(Promise.all(outcomes)).resolves.toEqual(MODES);
  }, 60_000);

  test('while the worker waits for messages is got over by itself, with one line when it begins and one when it ends', async () => {
    const outcomes = MODES.map(async (mode) => {
      const setting = await start();
      await trouble(setting.proxy, mode);
      const { taskId } = await setting.tasks.send(nap, { ms: 0 });
      await eventually(`the task done (${mode})`, () => doneBy(setting).has(taskId), 25_000);
      const begins = setting.worker.output.split('cannot receive').length - 1;
      const ends = setting.worker.output.split('receiving from default again').length - 1;
      return [mode, begins, ends];
    });
    await expect(Promise.all(outcomes)).resolves.toEqual(
      MODES.map((mode) => (mode === 'slow' ? [mode, 0, 0] : [mode, 1, 1])),
    );
  }, 60_000);
});
