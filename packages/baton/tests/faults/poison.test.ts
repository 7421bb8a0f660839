import { setTimeout as sleep } from 'node:timers/promises';
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { TaskClient, TaskStore } from 'baton-tasks/tooling';
import { type Backends, startBackends } from '../support/backends.ts';
import { eventually } from 'baton-dev/testing/eventually';
import { lanedNap } from '../support/laned-nap.ts';
import { nap } from '../support/nap.ts';
import { NapSink } from '../support/nap-sink.ts';
import {
  atAbort,
  good,
  latePoison,
  lateThreadPoison,
  poison,
  schemaPoison,
  survivable,
  threadPoison,
  trackedGood,
  trackedPoison,
  trackedSchemaPoison,
} from '../support/poison.ts';
import { freePort, Program } from 'baton-dev/testing/program';
import { Supervisor } from '../support/supervisor.ts';

let backends: Backends;
let tasks: TaskClient;
const programs: Program[] = [];

beforeEach(async () => {
  backends = await startBackends(['default', 'reports']);
  const records = new TaskStore({ documents: backends.documents, table: backends.tasksTable });
  tasks = new TaskClient({ sqs: backends.sqs, queueUrls: backends.queueUrls, source: 'tests', records });
});
afterEach(async () => {
  for (const program of programs.splice(0)) await program.stop('SIGKILL');
  await backends.stop();
});

async function startWorker(environment: Record<string, string> = {}): Promise<Program> {
  const program = new Program('packages/baton/tests/support/test-worker.ts', {
    ...backends.environment,
    WORKER_LEASE_SECONDS: '3',
    WORKER_WAIT_SECONDS: '1',
    WORKER_DRAIN_TIMEOUT_SECONDS: '2',
    WORKER_ABORT_GRACE_SECONDS: '1',
    HEALTH_PORT: String(await freePort()),
    ...environment,
  });
  programs.push(program);
  await program.says('worker started');
  return program;
}

const linesOf = (program: Program, message: string) =>
  program.lines.filter((line) => line['message'] === message);

describe('harm that a handler does to its process fails only its own attempt', () => {
  test.each([
    ['untracked', poison],
    ['tracked', trackedPoison],
    ['in a thread', threadPoison],
  ])('if the task is %s: exits, signals, floating rejections, late throws', async (_what, contract) => {
    const worker = await startWorker({ WORKER_CONCURRENCY: '20' });
    const hows = Object.keys(survivable);
    const sent = await Promise.all(hows.map((how) => tasks.send(contract, { how })));
    const naps = await Promise.all(hows.map(() => tasks.send(nap, { ms: 500 })));
    const dead = () => linesOf(worker, `${contract.name} is a dead letter: attempts-exhausted`);
    await eventually('all poison dead', () => dead().length === hows.length, 40_000);
    const errors = dead().map(({ taskId, attempt, error }) => {
      const how = hows[sent.findIndex((task) => task.taskId === taskId)];
      return [how, attempt, (error as { type: string }).type];
    });
    const expected = hows.map((how) => [
      how,
      3,
      /exit|abort|signal/.test(how) ? 'ProcessEndError' : 'StrayError',
    ]);
    expect(new Set(errors)).toEqual(new Set(expected));
    const done = linesOf(worker, 'tests.nap done').map(({ taskId }) => taskId);
    expect(new Set(done)).toEqual(new Set(naps.map(({ taskId }) => taskId)));
    expect(worker.output).not.toContain('"level":"fatal"');
    await expect(worker.stop()).resolves.toBe(0);
    expect(worker.output).not.toContain('"level":"fatal"');
  });
});

test.each([
  ['', latePoison],
  [' in a thread', lateThreadPoison],
])(
  'harm that a handler does when its signal aborts%s fails only its own attempt: throws, rejections, exits, programs',
  async (_what, contract) => {
    const worker = await startWorker({ WORKER_CONCURRENCY: '20' });
    const hows = Object.keys(atAbort);
    await Promise.all(hows.map((how) => tasks.send(contract, { how })));
    const neighbour = await tasks.send(nap, { ms: 8000 });
    const dead = () => linesOf(worker, `${contract.name} is a dead letter: timed-out`);
    await eventually('all poison dead', () => dead().length === hows.length, 40_000);
    await eventually('the neighbour done', () => linesOf(worker, 'tests.nap done').length === 1, 20_000);
    expect(linesOf(worker, 'tests.nap done')).toMatchObject([{ taskId: neighbour.taskId, attempt: 1 }]);
    expect(worker.output).not.toContain('"level":"fatal"');
    await expect(worker.stop()).resolves.toBe(0);
  },
);

test.each([
  ['untracked', schemaPoison],
  ['tracked', trackedSchemaPoison],
])(
  'harm that the schema of a payload does fails only its own attempt, if the task is %s',
  async (_what, contract) => {
    const worker = await startWorker({ WORKER_CONCURRENCY: '20' });
    const hows = [
      'process.exit',
      'process.abort',
      'signal to itself',
      'throw in a timer',
      'rejection as it returns',
    ];
    await Promise.all(hows.map((how) => tasks.send(contract, { how })));
    const { taskId } = await tasks.send(nap, { ms: 4000 });
    await eventually('the neighbour done', () => linesOf(worker, 'tests.nap done').length === 1, 20_000);
    expect(linesOf(worker, 'tests.nap done')).toMatchObject([{ taskId, attempt: 1 }]);
    await eventually('the poison dead', () => {
      const dead = linesOf(worker, `${contract.name} is a dead letter: attempts-exhausted`);
      return dead.length >= 3;
    });
    expect(worker.output).not.toContain('"level":"fatal"');
    await expect(worker.stop()).resolves.toBe(0);
  },
);

test('harm that a handler does when its task is cancelled fails only its own attempt', async () => {
  const worker = await startWorker();
  const handles = await Promise.all(Object.keys(atAbort).map((how) => tasks.send(trackedPoison, { how })));
  await eventually('all started', () => linesOf(worker, 'poison begins').length === handles.length, 20_000);
  await Promise.all(handles.map((handle) => handle.cancel()));
  const { taskId } = await tasks.send(nap, { ms: 5000 });
  await eventually('the neighbour done', () => linesOf(worker, 'tests.nap done').length === 1, 20_000);
  expect(linesOf(worker, 'tests.nap done')).toMatchObject([{ taskId, attempt: 1 }]);
  expect(worker.output).not.toContain('"level":"fatal"');
  await expect(worker.stop()).resolves.toBe(0);
});

describe('a worker that ends by itself lists its running tasks in its last line', () => {
  test('after an error outside of all tasks: it finishes what runs, and ends with status 1', async () => {
    const worker = await startWorker();
    const { taskId } = await tasks.send(poison, { how: 'throw elsewhere' });
    await expect(worker.ended()).resolves.toBe(1);
    const [said, ...more] = worker.lines.filter(({ level }) => level === 'fatal');
    expect(said).toMatchObject({
      service: 'worker',
      origin: 'uncaughtException',
      error: { message: 'elsewhere' },
      running: [
        { task: poison.name, taskId, attempt: 1, messageId: expect.any(String), ageMs: expect.any(Number) },
      ],
    });
    expect(more).toEqual([]);
    expect(linesOf(worker, `${poison.name} done`)).toMatchObject([{ taskId }]);
    expect(worker.output).toContain('worker stopped');
  });

  test('after code outside of all tasks calls process.exit', async () => {
    const worker = await startWorker();
    const { taskId } = await tasks.send(poison, { how: 'exit elsewhere' });
    await expect(worker.ended()).resolves.toBe(5);
    expect(worker.lines.at(-1)).toMatchObject({
      level: 'fatal',
      exitCode: 5,
      running: [{ task: poison.name, taskId }],
    });
  });
});

test('a function fails only the records whose handlers do harm, and passes all other errors to the runtime', async () => {
  const program = new Program('packages/baton/tests/support/poison-function.ts', backends.environment);
  programs.push(program);
  await expect(program.ended()).resolves.toBe(0);
  const said = program.output.split('\n').filter((line) => /^(answer|runtime)/.test(line));
  const failed = [0, 2, 3, 4, 5].map((record) => ({ itemIdentifier: `record-${record}` }));
  expect(said.at(-1)).toBe(`answer ${JSON.stringify({ batchItemFailures: failed })}`);
  expect(new Set(said.slice(0, -1))).toEqual(new Set(['runtime elsewhere']));
});

describe('one poison task kills its workers three times, and all good tasks beside it are done:', () => {
  const DEADLY = ['SIGKILL', 'endless loop', 'out of memory'];
  const TRACKED: [string, typeof poison, typeof good][] = [
    ['untracked', poison, good],
    ['tracked', trackedPoison as never, trackedGood as never],
  ];
  let sink: NapSink;
  let supervisor: Supervisor;

  beforeEach(async () => {
    sink = new NapSink();
    // Enough for a worker, but soon used up by the poison that allocates without end
    const memory = { NODE_OPTIONS: '--max-old-space-size=96' };
    supervisor = new Supervisor(() => startWorker({ NAP_SINK: sink.path, ...memory }));
  });
  afterEach(async () => {
    await supervisor.stop();
    sink.clear();
  });

  const deadLetters = async () => {
    const { Messages = [] } = await backends.sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: backends.queueUrls.deadLettersOf('default'),
        MaxNumberOfMessages: 10,
        VisibilityTimeout: 600,
        MessageAttributeNames: ['All'],
      }),
    );
    return Messages.map(({ MessageAttributes: attributes = {} }) => {
      const details = JSON.parse(attributes['baton.details']?.StringValue ?? '{}') as Record<string, unknown>;
      const { taskId, message } = details;
      return { reason: attributes['baton.reason']?.StringValue, taskId, message };
    });
  };

  const saysCrashed = (taskId: string) =>
    supervisor.lines.some((line) => line['taskId'] === taskId && line['reason'] === 'crashed');

  /** Expects that every good task started as attempt 1. */
  function expectNoAttemptLost(): void {
    const begun = supervisor.lines.filter((line) => line['message'] === 'good begins');
    expect(begun.filter(({ attempt }) => attempt !== 1)).toEqual([]);
  }

  async function expectOnePoisonDead(taskId: string): Promise<void> {
    // The worker logs it before it moves the message
    const letters = await eventually('a dead letter in the queue', async () => {
      const found = await deadLetters();
      return found.length > 0 && found;
    });
    expect(letters).toMatchObject([
      { reason: 'crashed', taskId, message: expect.stringContaining('worker died') },
    ]);
    expect(supervisor.deaths).toBe(3);
  }

  const IN_SCHEMA: [string, typeof poison, typeof good][] = [
    ['untracked, in its schema', schemaPoison, good],
    ['tracked, in its schema', trackedSchemaPoison as never, trackedGood as never],
  ];

  test.each(
    IN_SCHEMA.map(([what, bad, nice]) => ({ what, how: 'endless loop', bad, nice })).concat(
      TRACKED.flatMap(([what, bad, nice]) => DEADLY.map((how) => ({ what, how, bad, nice }))),
    ),
  )(
    'one worker, $what, $how',
    async ({ how, bad, nice }) => {
      const sent = await Promise.all(Array.from({ length: 9 }, () => tasks.send(nice, { ms: 1500 })));
      const { taskId } = await tasks.send(bad, { how });
      await supervisor.start(1);
      await eventually('a dead letter', () => saysCrashed(taskId), 90_000);
      await eventually('all good tasks done', () => sink.done.size === sent.length, 60_000);
      expect(new Set(sink.done.keys())).toEqual(new Set(sent.map((each) => each.taskId)));
      expectNoAttemptLost();
      await expectOnePoisonDead(taskId);
    },
    180_000,
  );

  test.each(TRACKED)(
    'three workers under a steady stream, %s',
    async (_what, bad, nice) => {
      await supervisor.start(3);
      const sent = new Set<string>();
      const streamed = new AbortController();
      const stream = (async () => {
        while (!streamed.signal.aborted) {
          sent.add((await tasks.send(nice, { ms: 100 })).taskId);
          await sleep(20);
        }
      })();
      await eventually('some good tasks', () => sink.done.size > 20, 30_000);
      const { taskId } = await tasks.send(bad, { how: 'SIGKILL' });
      await eventually('a dead letter', () => saysCrashed(taskId), 90_000);
      streamed.abort();
      await stream;
      await eventually('all good tasks done', () => sink.done.size === sent.size, 60_000);
      expect(new Set(sink.done.keys())).toEqual(sent);
      expectNoAttemptLost();
      await expectOnePoisonDead(taskId);
    },
    180_000,
  );

  test('two workers whose slots are full of tasks of another queue release the poison, and keep its count', async () => {
    const full = { WORKER_CONCURRENCY: '2', LANED_NAPS: 'yes', NAP_SINK: sink.path };
    supervisor = new Supervisor(() => startWorker(full));
    await supervisor.start(2);
    const sent = new Set<string>();
    const streamed = new AbortController();
    const stream = (async () => {
      while (!streamed.signal.aborted) {
        const payload = { lane: 'normal', ms: 2500, sentAtMs: Date.now() };
        sent.add((await tasks.send(lanedNap, payload)).taskId);
        await sleep(500);
      }
    })();
    await eventually('a backlog', () => sent.size > 8, 30_000);
    const { taskId } = await tasks.send(poison, { how: 'SIGKILL' });
    for (let each = 0; each < 3; each += 1) sent.add((await tasks.send(good, { ms: 100 })).taskId);
    await eventually('a dead letter', () => saysCrashed(taskId), 120_000);
    streamed.abort();
    await stream;
    await eventually('all good tasks done', () => sink.done.size === sent.size, 120_000);
    expect(new Set(sink.done.keys())).toEqual(sent);
    const naps = supervisor.lines.filter(({ message }) => message === 'nap begins');
    expect(naps.filter(({ attempt }) => attempt !== 1)).toEqual([]);
    expectNoAttemptLost();
    const givenBack = supervisor.lines.filter(
      ({ message, queue }) => queue === 'default' && message === 'no slot is free: message given back',
    );
    expect(givenBack).not.toEqual([]);
    await expectOnePoisonDead(taskId);
  }, 300_000);
});
