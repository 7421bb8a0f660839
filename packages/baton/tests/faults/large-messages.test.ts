import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { TaskClient } from 'baton-tasks/tooling';
import { eventually } from 'baton-dev/testing/eventually';
import { freePort, Program } from 'baton-dev/testing/program';
import { type Backends, startBackends } from '../support/backends.ts';
import { messageBody } from '../support/messages.ts';
import { lanedNap } from '../support/laned-nap.ts';
import { nap } from '../support/nap.ts';

/** SQS's limit for a message. */
const MEGABYTE = 1_048_576;
const LIMIT = 262_144;
const BOMBS = 20;

let backends: Backends;
let worker: Program | undefined;
beforeEach(async () => {
  backends = await startBackends(['default', 'reports']);
});
afterEach(async () => {
  await worker?.stop('SIGKILL');
  await backends.stop();
});

/** Starts a worker with as much memory as in a small container. */
async function startWorker(concurrency: number, environment: Record<string, string> = {}): Promise<Program> {
  worker = new Program('packages/baton/tests/support/test-worker.ts', {
    ...backends.environment,
    NODE_OPTIONS: '--max-old-space-size=128',
    WORKER_CONCURRENCY: String(concurrency),
    WORKER_WAIT_SECONDS: '1',
    HEALTH_PORT: String(await freePort()),
    ...environment,
  });
  await worker.says('worker started');
  return worker;
}

/** A body of so many bytes whose payload repeats `open`, and then as many times `close`. */
function bomb(bytes: number, open: string, close = ''): string {
  const empty = messageBody({ task: nap.name, data: 0 });
  const times = Math.floor((bytes - empty.length) / (open.length + close.length));
  const payload =
    close === '' ? `[${open.repeat(times).slice(0, -1)}]` : open.repeat(times) + '0' + close.repeat(times);
  return empty.replace('"data":0', `"data":${payload}`);
}

async function send(body: string): Promise<void> {
  const QueueUrl = backends.queueUrls.of('default');
  await backends.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: body }));
}

/** Sends the bombs with ten tasks behind them, and runs a worker. Resolves to the reasons of the dead letters. */
async function reasonsOf(bombs: readonly string[], concurrency: number): Promise<Set<unknown>> {
  const tasks = new TaskClient({ sqs: backends.sqs, queueUrls: backends.queueUrls, source: 'tests' });
  for (const body of bombs) await send(body);
  const sent = await Promise.all(Array.from({ length: 10 }, () => tasks.send(nap, { ms: 0 })));
  const { lines, ended } = watched(await startWorker(concurrency));
  await eventually(
    'the end of all messages',
    () => {
      if (ended()) throw new Error('The worker has ended');
      return (
        lines('is a dead letter').length >= bombs.length && lines('tests.nap done').length >= sent.length
      );
    },
    60_000,
  );
  return new Set(lines('is a dead letter').map((line) => line['reason']));
}

function watched(program: Program) {
  let hasEnded = false;
  void program.ended().then(() => (hasEnded = true));
  return {
    lines: (message: string) => program.lines.filter((line) => String(line['message']).includes(message)),
    ended: () => hasEnded,
  };
}

describe('a worker with 128 MB outlives', () => {
  test.each([
    ['nested lists', bomb(MEGABYTE, '[', ']'), 'too-large'],
    ['nested objects', bomb(MEGABYTE, '{"a":', '}'), 'too-large'],
    ['lists of 256 KiB that are nested', bomb(LIMIT, '[', ']'), 'too-large'],
    ['a list of empty lists', bomb(MEGABYTE, '[],'), 'too-large'],
    ['a list of empty lists of 256 KiB', bomb(LIMIT, '[],'), 'too-large'],
    ['members with different names', bomb(LIMIT, '{"":0},'), 'too-large'],
    ['as many empty lists as a payload may have values', bomb(8000 * 3, '[],'), 'invalid-payload'],
    ['as many texts as a payload may have values', bomb(LIMIT, '"aaaaaaaaaaaaa",'), 'invalid-payload'],
  ])('20 messages of %s, and runs the tasks between them', async (_, body, reason) => {
    const bombs = Array.from({ length: BOMBS }, () => body);
    await expect(reasonsOf(bombs, 20)).resolves.toEqual(new Set([reason]));
  });

  test('a hundred messages of 256 KiB, although it has a slot for each', async () => {
    const bombs = Array.from({ length: 100 }, () => bomb(LIMIT, '"aaaaaaaaaaaaa",'));
    await expect(reasonsOf(bombs, 100)).resolves.toEqual(new Set(['invalid-payload']));
  });
});

test('a queue whose payloads fill its part of the memory for long does not keep another queue waiting', async () => {
  const tasks = new TaskClient({ sqs: backends.sqs, queueUrls: backends.queueUrls, source: 'tests' });
  // An undeclared member takes memory too
  const junk = { ms: 50_000, junk: 'x'.repeat(250_000) };
  const heavy = messageBody({ task: nap.name, data: junk });
  await Promise.all(Array.from({ length: 120 }, () => send(heavy)));
  const { lines } = watched(await startWorker(150, { LANED_NAPS: '1' }));
  let [begun, sinceMs] = [0, performance.now()];
  await eventually('handlers that fill the memory', () => {
    const { length } = lines('nap begins');
    if (length !== begun) [begun, sinceMs] = [length, performance.now()];
    return begun >= 5 && performance.now() - sinceMs > 1500;
  });
  const { taskId } = await tasks.send(lanedNap, { lane: 'normal', ms: 0, sentAtMs: Date.now() });
  await eventually(
    'the task of the other queue',
    () => lines('tests.laned-nap done').some((line) => line['taskId'] === taskId),
    15_000,
  );
  expect(lines('tests.nap done')).toEqual([]);
}, 60_000);
