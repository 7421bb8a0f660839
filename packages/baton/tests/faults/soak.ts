import { TaskClient } from 'baton-tasks/tooling';
import { startBackends } from '../support/backends.ts';
import { DurableBroker } from '../support/durable-broker.ts';
import { eventually } from 'baton-dev/testing/eventually';
import { countMessages } from 'baton-dev/testing/message-counts';
import { Proxy } from 'baton-dev/testing/proxy';
import { conservationReport } from './conservation.ts';
import { Random } from './random.ts';
import { readSoakPlan } from './soak-plan.ts';
import { SoakProgress } from './soak-progress.ts';
import { SoakTasks } from './soak-tasks.ts';
import { Swarm } from './swarm.ts';
import { type Trouble, Troublemaker } from './troublemaker.ts';
import { workerTroubles } from './worker-troubles.ts';

const WORKERS = 3;
const SEND_AT_ONCE = 500;
/** The limit of the backlog keeps the sender running during the troubles. */
const MAX_BACKLOG = 5000;
/** If no worker makes progress for this long, 12 leases, the remaining tasks are lost. */
const STALLED_MS = 60_000;
const LONGEST_MS = 3_600_000;
const MAX_NAMED = 10;

const plan = readSoakPlan(process.argv.slice(2));
process.stdout.write(`soak: ${JSON.stringify(plan)}\n`);

const broker = await DurableBroker.start();
const backends = await startBackends(['default'], { sqsEndpoint: broker.endpoint });
const proxy = await Proxy.start(broker.endpoint);
const swarm = new Swarm({ ...backends.environment, AWS_ENDPOINT_URL_SQS: proxy.endpoint });
// One seed gives the same naps and troubles. How they coincide depends on the machine
const client = new TaskClient({ sqs: backends.sqs, queueUrls: backends.queueUrls, source: 'soak' });
const tasks = new SoakTasks(client, new Random(plan.seed));
const faults = new Random(plan.seed + 1);
const { sink } = swarm;
const startedAtMs = performance.now();
const progress = new SoakProgress(plan.tasks);
await Promise.all(Array.from({ length: WORKERS }, () => swarm.add()));

let stalled = false;
let allSent = false;
await Promise.all([sendAll(), makeTroubles(), untilFinished()]);
progress.stop();
await swarm.stop();
await proxy.stop();
const seconds = (performance.now() - startedAtMs) / 1000;
const report = await conservationReport({ plan, backends, tasks, swarm, seconds });
await backends.stop();
await broker.stop();
sink.clear();
process.stdout.write(report.text);
if (report.wrong.length > 0) process.stdout.write(`${report.wrong.slice(0, MAX_NAMED).join('\n')}\n`);
process.exitCode = report.conserved ? 0 : 1;

function finished(): number {
  return sink.done.size + sink.rejected.size;
}

async function sendAll(): Promise<void> {
  let poisoned = 0;
  for (let sent = 0; sent < plan.tasks; sent += SEND_AT_ONCE) {
    await eventually('a shorter queue', () => stalled || sent - finished() < MAX_BACKLOG, LONGEST_MS);
    await tasks.send(Math.min(SEND_AT_ONCE, plan.tasks - sent));
    // Spread over the run, so that other tasks run beside poison
    const due = Math.ceil((plan.poisons * (sent + SEND_AT_ONCE)) / plan.tasks);
    for (; poisoned < Math.min(due, plan.poisons); poisoned += 1) await tasks.sendPoison();
  }
  allSent = true;
}

/** Spreads the troubles over the run, by the number of finished tasks. The rest comes at the end. */
async function makeTroubles(): Promise<void> {
  const troublemaker = new Troublemaker({ swarm, proxy, broker }, faults);
  const troubles = faults.shuffled([
    ...workerTroubles(plan),
    ...Array<Trouble>(plan.cuts).fill('cut'),
    ...Array<Trouble>(plan.restarts).fill('restart'),
  ]);
  for (const [index, trouble] of troubles.entries()) {
    const due = Math.floor((plan.tasks * index) / (troubles.length + 1));
    await eventually('the next trouble', () => stalled || finished() >= due, LONGEST_MS);
    await troublemaker.make(trouble);
  }
}

/** Waits until every task is sent and the queue is empty, or until nothing makes progress. */
async function untilFinished(): Promise<void> {
  let last = { step: '', atMs: performance.now() };
  await eventually(
    'every task finished',
    async () => {
      progress.update(finished());
      const left = allSent ? await leftInQueue() : -1;
      const step = `${finished()} ${left}`;
      if (step !== last.step) last = { step, atMs: performance.now() };
      stalled = performance.now() - last.atMs > STALLED_MS;
      return stalled || left === 0;
    },
    LONGEST_MS,
  );
}

/** The number of messages in the queue; -1 if the broker is away. */
async function leftInQueue(): Promise<number> {
  try {
    const { visible, hidden } = await countMessages(backends, backends.queueUrls.of('default'));
    return visible + hidden;
  } catch {
    return -1;
  }
}
