import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { TaskClient, TaskStore, tickTaskId, tickTime } from 'baton-tasks/tooling';
import { payloadHashOf } from '../../src/send/prepared-task.ts';
import { startTrace } from '../../src/telemetry/trace-context.ts';
import { type Backends, startBackends } from '../support/backends.ts';
import { EffectSink } from '../support/effect-sink.ts';
import { eventually } from 'baton-dev/testing/eventually';
import { freePort, Program } from 'baton-dev/testing/program';
import { minutely } from '../support/ticks.ts';
import { count } from '../support/tracked-tasks.ts';
import { missingForWrongClocks, WrongClock } from '../support/wrong-clock.ts';

const missing = missingForWrongClocks;
if (missing !== undefined) {
  if (process.env['CI']) throw new Error(`Tests of wrong clocks need ${missing}; expected in CI`);
  process.stdout.write(`Skipped: tests of wrong clocks need ${missing}\n`);
}
const describeClocks = missing === undefined ? describe : describe.skip;

const LEASE_SECONDS = 3;
const HALF_A_DAY_SECONDS = 43_200;
const MINUTE_MS = 60_000;
/** Workers spread a tick over 2 s. The rest allows for a busy machine. */
const LATEST_TICK_MS = 15_000;

interface Worker {
  readonly program: Program;
  /** The URL of its health routes. */
  readonly health: string;
}

let backends: Backends;
let store: TaskStore;
let tasks: TaskClient;
let sink: EffectSink;
let workers: Worker[];
let clocks: WrongClock[];

beforeEach(async () => {
  backends = await startBackends(['default']);
  const { documents, tasksTable, sqs, queueUrls, stage } = backends;
  store = new TaskStore({ documents, table: tasksTable });
  tasks = new TaskClient({ sqs, queueUrls, source: 'tests', records: store });
  sink = await EffectSink.create(documents, `baton-${stage}-effects`);
  workers = [];
  clocks = [];
});
afterEach(async () => {
  for (const { program } of workers) await program.stop('SIGKILL');
  for (const clock of clocks) clock.clear();
  await backends.stop();
});

function clockAhead(seconds: number): WrongClock {
  const clock = new WrongClock(seconds);
  clocks.push(clock);
  return clock;
}

async function startWorker(clock?: WrongClock, own: Record<string, string> = {}): Promise<Worker> {
  const port = String(await freePort());
  const program = new Program('packages/baton/tests/support/test-worker.ts', {
    ...backends.environment,
    EFFECTS_TABLE: sink.table,
    WORKER_ID: `worker-${workers.length + 1}`,
    WORKER_CONCURRENCY: '5',
    WORKER_WAIT_SECONDS: '1',
    WORKER_LEASE_SECONDS: String(LEASE_SECONDS),
    HEALTH_PORT: port,
    ...own,
    ...clock?.environment,
  });
  const worker = { program, health: `http://127.0.0.1:${port}/health` };
  workers.push(worker);
  await program.says('worker started');
  return worker;
}

const readiness = async ({ health }: Worker) => {
  const answer = await fetch(`${health}/ready`);
  await answer.body?.cancel();
  return { status: answer.status };
};

interface State {
  readonly clocks: Record<'store' | 'broker', { skewSeconds: number | null; differs: boolean }>;
  readonly schedules: { ticking: boolean }[];
}
const stateOf = async ({ health }: Worker): Promise<State> =>
  (await (await fetch(`${health}/state`)).json()) as State;

const ended = (taskId: string) =>
  eventually(`${taskId} done`, async () => (await store.read(taskId))?.state === 'succeeded', 20_000);

const messagesOf = ({ program }: Worker, text: string): Record<string, unknown>[] =>
  program.lines.filter(({ message }) => String(message).includes(text));

describeClocks('a worker with a wrong clock', () => {
  test.each([
    ['ahead', HALF_A_DAY_SECONDS],
    ['behind', -HALF_A_DAY_SECONDS],
  ])(
    'that dies 12 hours %s blocks its task no longer than a worker with a right clock',
    async (_side, seconds) => {
      const wrong = await startWorker(clockAhead(seconds));
      const { taskId } = await tasks.send(count, { number: 1, ms: 4000 }, { taskId: 'held' });
      await wrong.program.says('count begins');
      await startWorker();
      await wrong.program.stop('SIGKILL');
      const diedAtMs = performance.now();
      await ended(taskId);
      // The leases of the message and of the claim expire, and the task takes 4 s
      expect(performance.now() - diedAtMs).toBeLessThan(2 * LEASE_SECONDS * 1000 + 8000);
      await expect(sink.rows()).resolves.toEqual(new Map([['held:count', 0]]));
    },
  );

  test.each([
    ['12 hours ahead does not take a task that a worker with a right clock runs', 0, HALF_A_DAY_SECONDS],
    ['12 hours behind does not take a task that a worker with a right clock runs', 0, -HALF_A_DAY_SECONDS],
    ['12 hours ahead does not lose its tasks to a worker with a right clock', HALF_A_DAY_SECONDS, 0],
    ['12 hours behind does not lose its tasks to a worker with a right clock', -HALF_A_DAY_SECONDS, 0],
  ])('%s', async (_what, holderSeconds, otherSeconds) => {
    const ids = ['one', 'two', 'three', 'four'];
    // The holder has no free slot for the second messages
    const full = { WORKER_CONCURRENCY: String(ids.length) };
    const holder = await startWorker(clockAhead(holderSeconds), full);
    for (const taskId of ids) await tasks.send(count, { number: 1, ms: 7000 }, { taskId });
    await eventually('all of them started', () => messagesOf(holder, 'count begins').length === ids.length);
    const other = await startWorker(clockAhead(otherSeconds));
    const { name: task, queue } = count;
    for (const taskId of ids)
      await tasks.forward(
        { taskId, task, queue },
        { number: 1, ms: 7000, failures: 0 },
        { trace: startTrace(), depth: 0 },
      );
    await other.program.says('The worker worker-1 runs the task');
    for (const taskId of ids) await ended(taskId);
    const rows = await store.readAll(ids);
    expect(rows.map(({ attempts, token }) => [attempts, token])).toEqual(ids.map(() => [1, 1]));
    await expect(sink.rows()).resolves.toEqual(new Map(ids.map((taskId) => [`${taskId}:count`, 0])));
    expect(messagesOf(other, 'count begins')).toEqual([]);
  });

  test('12 hours ahead reports it in its log, its state and its readiness, until the clock is right', async () => {
    const clock = clockAhead(HALF_A_DAY_SECONDS);
    const worker = await startWorker(clock);
    await eventually('both log lines', () => messagesOf(worker, 'clock is wrong: ').length === 2);
    await eventually('both clocks known', async () => {
      const { store: byStore, broker } = (await stateOf(worker)).clocks;
      return byStore.differs && broker.differs;
    });
    const state = await stateOf(worker);
    for (const { skewSeconds } of Object.values(state.clocks))
      expect(Math.abs((skewSeconds ?? 0) - HALF_A_DAY_SECONDS)).toBeLessThan(5);
    expect(await readiness(worker)).toMatchObject({ status: 503 });
    await eventually('the reason in the log', () =>
      /This process's clock is 4\d{4}(\.\d)? s ahead of the clock of DynamoDB/.test(worker.program.output),
    );
    clock.set(0);
    await worker.program.says('clock agrees with DynamoDB again');
    await worker.program.says('clock agrees with SQS again');
    await eventually('readiness', async () => (await readiness(worker)).status === 200);
    const errors = messagesOf(worker, 'clock is wrong');
    expect(errors.map(({ level }) => level)).toEqual(['error', 'error']);
  });
});

test('a claim that a dead worker of an older version left, 12 hours ahead, is taken over within leases', async () => {
  const { documents, tasksTable } = backends;
  const old = new TaskStore({
    documents,
    table: tasksTable,
    now: () => Date.now() + HALF_A_DAY_SECONDS * 1000,
  });
  const { name: task, queue } = count;
  const claimId = 'dead';
  const payload = { number: 1, ms: 0, failures: 0 };
  await old.attempts.claim({
    taskId: 'left',
    task,
    queue,
    claimId,
    owner: 'old',
    payloadHash: payloadHashOf(payload),
    leaseSeconds: LEASE_SECONDS,
  });
  await tasks.forward({ taskId: 'left', task, queue }, payload, { trace: startTrace(), depth: 0 });
  await startWorker();
  await ended('left');
  await expect(sink.rows()).resolves.toEqual(new Map([['left:count', 0]]));
});

describeClocks('a worker whose clock is set forward and back while it runs', () => {
  test('finishes each task once, and notices each change', async () => {
    const clock = clockAhead(0);
    const worker = await startWorker(clock);
    const ids = Array.from({ length: 10 }, (_, number) => `task-${number}`);
    for (const taskId of ids) await tasks.send(count, { number: 1, ms: 4000 }, { taskId });
    for (const seconds of [HALF_A_DAY_SECONDS, -HALF_A_DAY_SECONDS, 0]) {
      clock.set(seconds);
      await eventually(
        `a clock ${seconds} s ahead noticed`,
        async () => {
          const { skewSeconds } = (await stateOf(worker)).clocks.store;
          return Math.abs((skewSeconds ?? 0) - seconds) < 5;
        },
        15_000,
      );
    }
    for (const taskId of ids) await ended(taskId);
    const rows = await store.readAll(ids);
    expect(rows.map(({ attempts }) => attempts)).toEqual(ids.map(() => 1));
    await expect(sink.rows()).resolves.toEqual(new Map(ids.map((taskId) => [`${taskId}:count`, 0])));
    expect(messagesOf(worker, 'lease lost')).toEqual([]);
  });

  test('and that then dies blocks its task no longer than a worker with a right clock', async () => {
    const clock = clockAhead(0);
    const worker = await startWorker(clock);
    const { taskId } = await tasks.send(count, { number: 1, ms: 5000 }, { taskId: 'renewed' });
    await worker.program.says('count begins');
    const row = await store.read(taskId);
    clock.set(HALF_A_DAY_SECONDS);
    await eventually('a renewal', async () => (await store.read(taskId))?.leaseUntilMs !== row?.leaseUntilMs);
    await worker.program.stop('SIGKILL');
    await startWorker();
    await ended(taskId);
    await expect(sink.rows()).resolves.toEqual(new Map([['renewed:count', 0]]));
  });
});

describeClocks('a schedule', () => {
  test(
    'ticks once a minute, on time, even if workers with wrong clocks run for 15 seconds',
    async () => {
      const ticks = await EffectSink.create(backends.documents, `baton-${backends.stage}-ticks`);
      const own = { TICKS_TABLE: ticks.table };
      const { name } = minutely;
      const right = [await startWorker(undefined, own), await startWorker(undefined, own)];
      const startedAtMs = Date.now();
      const firstMs = Math.ceil(startedAtMs / MINUTE_MS) * MINUTE_MS;
      const seenAtMs = new Map<string, number>();
      const look = async (): Promise<void> => {
        for (const [taskId] of await ticks.rows())
          if (!seenAtMs.has(taskId)) seenAtMs.set(taskId, Date.now());
      };
      const wrong = [HALF_A_DAY_SECONDS, -HALF_A_DAY_SECONDS, 90].map((seconds) => clockAhead(seconds));
      const wrongWorkers = await Promise.all(wrong.map((clock) => startWorker(clock, own)));
      const upUntilMs = performance.now() + 15_000;
      await eventually(
        '15 seconds',
        async () => {
          await look();
          return performance.now() > upUntilMs;
        },
        30_000,
      );
      for (const worker of wrongWorkers) {
        const { schedules } = await stateOf(worker);
        expect(schedules.map(({ ticking }) => ticking)).toEqual([false]);
        await worker.program.stop();
        expect(messagesOf(worker, 'sent for')).toEqual([]);
      }
      await eventually(
        'three ticks',
        async () => {
          await look();
          return Date.now() > firstMs + 2 * MINUTE_MS + LATEST_TICK_MS;
        },
        4 * MINUTE_MS,
      );
      const expected = [0, 1, 2].map((minute) => firstMs + minute * MINUTE_MS);
      const lateMs = expected.map((tickMs) => {
        const taskId = tickTaskId(name, tickTime(new Date(tickMs)));
        return (seenAtMs.get(taskId) ?? Infinity) - tickMs;
      });
      for (const late of lateMs) {
        expect(late).toBeGreaterThanOrEqual(0);
        expect(late).toBeLessThan(LATEST_TICK_MS);
      }
      expect([...(await ticks.rows()).values()]).toEqual([0, 0, 0]);
      expect(right.flatMap((worker) => messagesOf(worker, 'clock is wrong'))).toEqual([]);
    },
    5 * MINUTE_MS,
  );
});
