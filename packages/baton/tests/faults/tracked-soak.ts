import { TaskClient, TaskStore } from 'baton-tasks/tooling';
import { startBackends } from '../support/backends.ts';
import { EffectSink } from '../support/effect-sink.ts';
import { eventually } from 'baton-dev/testing/eventually';
import { countMessages } from 'baton-dev/testing/message-counts';
import { CountedTasks } from './counted-tasks.ts';
import { Random } from './random.ts';
import { readTrackedPlan } from './soak-plan.ts';
import { SoakProgress } from './soak-progress.ts';
import { Swarm } from './swarm.ts';
import { TableWatch } from './table-watch.ts';
import { troubleWorker, workerTroubles } from './worker-troubles.ts';
import { trackedReport } from './tracked-report.ts';

const WORKERS = 3;
/** Short, so that tasks of a killed worker come back soon. */
const LEASE_SECONDS = 3;
/** If nothing makes progress for this long, 10 leases, the remaining tasks are lost. */
const STALLED_MS = 30_000;
const LONGEST_MS = 3_600_000;

const plan = readTrackedPlan(process.argv.slice(2));
process.stdout.write(`tracked soak: ${JSON.stringify(plan)}\n`);

const backends = await startBackends(['default']);
const { environment, documents, tasksTable, sqs, queueUrls, stage } = backends;
const sink = await EffectSink.create(documents, `baton-${stage}-effects`);
const watch = await TableWatch.start({
  endpoint: environment['AWS_ENDPOINT_URL_DYNAMODB'] ?? '',
  tasks: tasksTable,
  effects: sink.table,
});
const swarm = new Swarm({
  ...environment,
  AWS_ENDPOINT_URL_DYNAMODB: watch.endpoint,
  EFFECTS_TABLE: sink.table,
  WORKER_LEASE_SECONDS: String(LEASE_SECONDS),
});
const store = new TaskStore({ documents, table: tasksTable });
const client = new TaskClient({ sqs, queueUrls, source: 'soak', records: store });
// One seed gives the same tasks and troubles. How they coincide depends on the machine
const tasks = new CountedTasks(client, new Random(plan.seed));
const faults = new Random(plan.seed + 1);
const troubles = faults.shuffled(workerTroubles(plan));
const startedAtMs = performance.now();
let last = { step: '', atMs: startedAtMs };
const progress = new SoakProgress(plan.tasks);
await Promise.all(Array.from({ length: WORKERS }, () => swarm.add()));

await sendWithTroubles();
const left = await untilEnded();
progress.stop();
await swarm.stop();
swarm.sink.clear();
const seconds = (performance.now() - startedAtMs) / 1000;
const report = await trackedReport({ plan, store, tasks, watch, sink, left, swarm, seconds });
await watch.stop();
await backends.stop();
process.stdout.write(report.text);
process.exitCode = report.kept ? 0 : 1;

/** Sends a share of the tasks before each trouble. The trouble comes when a random number of them has started. */
async function sendWithTroubles(): Promise<void> {
  for (const [index, trouble] of troubles.entries()) {
    const share = shareOf(index);
    const begunBefore = watch.begun;
    await tasks.send(share);
    if (poisonsAfter(index) > poisonsAfter(index - 1)) await tasks.sendPoison();
    const due = begunBefore + 1 + faults.below(Math.max(1, share));
    await eventually(
      'tasks to be troubled',
      () => watch.begun >= due || allEnded() || stalledAt(`${watch.begun}`),
      LONGEST_MS,
    );
    progress.update(watch.ended.size);
    await eventually(
      'a worker to trouble',
      async () => troubleWorker(swarm, faults, trouble, await lastChances()),
      LONGEST_MS,
    );
  }
  await tasks.send(shareOf(troubles.length));
}

/** Workers whose task was cut off twice in a row. A third kill would make it a dead letter, like poison. */
async function lastChances(): Promise<ReadonlySet<string>> {
  const rows = await store.readAll([...tasks.numbers.keys()]);
  const endangered = rows.filter(({ state, crashes = 0 }) => state === 'running' && crashes >= 2);
  return new Set(endangered.flatMap(({ owner }) => owner ?? []));
}

function shareOf(part: number): number {
  const until = (parts: number): number => Math.floor((plan.tasks * parts) / (troubles.length + 1));
  return until(part + 1) - until(part);
}

function poisonsAfter(part: number): number {
  return Math.floor((plan.poisons * (part + 1)) / troubles.length);
}

function allEnded(): boolean {
  return watch.ended.size >= tasks.numbers.size + tasks.poisons.size;
}

/** Whether the soak has stayed at this step for too long. */
function stalledAt(step: string): boolean {
  if (step !== last.step) last = { step, atMs: performance.now() };
  return performance.now() - last.atMs > STALLED_MS;
}

/** Waits until all tasks have ended and the queue is empty, or nothing makes progress. Resolves to the queue's size. */
async function untilEnded(): Promise<number> {
  const end = await eventually(
    'every task ended',
    async () => {
      progress.update(watch.ended.size);
      const { visible, hidden } = await countMessages(backends, queueUrls.of('default'));
      const messages = visible + hidden;
      const step = `${watch.ended.size} ${watch.begun} ${messages}`;
      return ((allEnded() && messages === 0) || stalledAt(step)) && { messages };
    },
    LONGEST_MS,
  );
  return end.messages;
}
