import { parseArgs } from 'node:util';
import { SingleBar, Presets } from 'cli-progress';
import { TaskClient } from '@baton/common/queue/task-client';
import { startBackends } from '../support/backends.ts';
import { eventually } from '../support/eventually.ts';
import { Proxy } from '../support/proxy.ts';
import { nap } from '../support/test-worker.ts';
import { conservationReport } from './conservation.ts';
import { Random } from './random.ts';
import { Swarm } from './swarm.ts';

const WORKERS = 3;
const MAX_NAP_MS = 40;
const SEND_AT_ONCE = 500;
/** A task that outlives this many leases without a step forward by any worker is lost. */
const STALLED_MS = 60_000;

const { values } = parseArgs({
  options: {
    tasks: { type: 'string', default: '100000' },
    kills: { type: 'string', default: '100' },
    cuts: { type: 'string', default: '30' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
  },
});
const plan = {
  tasks: Number(values.tasks),
  kills: Number(values.kills),
  cuts: Number(values.cuts),
  seed: Number(values.seed),
};
process.stdout.write(`soak: ${JSON.stringify(plan)}\n`);

// One seed gives the same naps and the same faults again; how they fall together is the machine's
const naps = new Random(plan.seed);
const faults = new Random(plan.seed + 1);
const backends = await startBackends(['worker']);
const proxy = await Proxy.start(backends.environment['AWS_ENDPOINT_URL_SQS'] ?? '');
const swarm = new Swarm({ ...backends.environment, AWS_ENDPOINT_URL_SQS: proxy.endpoint });
const tasks = new TaskClient({ sqs: backends.sqs, queueUrls: backends.queueUrls, source: 'soak' });
const bar = process.stderr.isTTY
  ? new SingleBar({ format: ' {bar} {value}/{total} done' }, Presets.shades_classic)
  : undefined;
const startedAtMs = performance.now();
bar?.start(plan.tasks, 0);
await Promise.all(Array.from({ length: WORKERS }, () => swarm.add()));

const sending = sendAll();
const breaking = breakThings();
const sent = await sending;
await breaking;
await untilDone(sent.size);
bar?.stop();
await swarm.stop();
await proxy.stop();
const report = await conservationReport({
  plan,
  backends,
  sent,
  runs: swarm.done,
  seconds: (performance.now() - startedAtMs) / 1000,
});
await backends.stop();
swarm.clear();
process.stdout.write(report.text);
process.exitCode = report.lost === 0 ? 0 : 1;

async function sendAll(): Promise<Set<string>> {
  const ids = new Set<string>();
  while (ids.size < plan.tasks) {
    const count = Math.min(SEND_AT_ONCE, plan.tasks - ids.size);
    const some = await Promise.all(
      Array.from({ length: count }, () => tasks.send(nap, { ms: naps.below(MAX_NAP_MS) })),
    );
    for (const { taskId } of some) ids.add(taskId);
  }
  return ids;
}

/** Spreads kills and cuts over the run, by how many tasks are done; what is left of them comes at the end. */
async function breakThings(): Promise<void> {
  const events = faults.shuffled([
    ...Array<'kill'>(plan.kills).fill('kill'),
    ...Array<'cut'>(plan.cuts).fill('cut'),
  ]);
  for (const [index, event] of events.entries()) {
    const due = Math.floor((plan.tasks * index) / (events.length + 1));
    await eventually('the next fault', () => swarm.done.size >= due, 600_000);
    if (event === 'kill') await swarm.killOne(faults);
    else await cut(100 + faults.below(900));
  }
}

async function cut(forMs: number): Promise<void> {
  const endMs = performance.now() + forMs;
  proxy.change(faults.below(2) === 0 ? 'cut' : 'reset');
  await eventually('the end of the cut', () => performance.now() > endMs);
  proxy.change('pass');
}

async function untilDone(count: number): Promise<void> {
  let last = { size: -1, atMs: performance.now() };
  await eventually(
    'every task done',
    () => {
      const { size } = swarm.done;
      bar?.update(size);
      if (size !== last.size) last = { size, atMs: performance.now() };
      return size >= count || performance.now() - last.atMs > STALLED_MS;
    },
    3_600_000,
  );
}
