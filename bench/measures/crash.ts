import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench, Measure } from '../bench.ts';
import type { Broker } from '../brokers/broker.ts';
import type { Contender } from '../contender.ts';
import type { ContenderProcess } from '../contender-process.ts';
import { allHandledOnce, fill, withQueue, withWorker } from '../load.ts';
import { onOneBroker, takingPart } from '../pairs.ts';
import { nowMs } from '../protocol.ts';

const TASKS = 20;
const TIMES = {
  full: { leaseSeconds: 10, taskMs: 5000, heldMs: 2000 },
  quick: { leaseSeconds: 3, taskMs: 2000, heldMs: 1000 },
} as const;
/** Long, because a rival may look for tasks of a dead worker only at long intervals. */
const LIMIT_MS = 120_000;

/** Two workers run and one is killed: the time until the tasks that it held are done. */
export const crash: Measure = {
  id: 'crash',
  title: 'Redelivery after a crash',
  rounds: { full: 2, quick: 1 },
  run: (bench) => {
    const contenders = takingPart(bench, { quick: ['baton'] });
    return onOneBroker(bench, contenders, (contender, broker) => redeliver(bench, contender, broker));
  },
};

async function redeliver(bench: Bench, contender: Contender, broker: Broker): Promise<void> {
  const { leaseSeconds, taskMs } = TIMES[bench.mode];
  const load = { contender, broker, signal: bench.signal, tasks: TASKS, jobs: `sleep:${taskMs}` };
  const run = async (queueUrl: string): Promise<void> => {
    const settings = { queueUrls: [queueUrl], concurrency: TASKS, leaseSeconds, tasks: TASKS, record: true };
    await withWorker(load, settings, (killed) =>
      withWorker(load, settings, async (other) => {
        await fill(bench, load, queueUrl);
        const seconds = await killAndWait(bench, killed, other);
        await allHandledOnce(load, queueUrl, { tasks: TASKS });
        const by = { contender: contender.name, broker: broker.name };
        bench.record({ ...by, figure: 'redelivery', unit: 's', value: seconds });
      }),
    );
  };
  await withQueue(broker, run, leaseSeconds);
}

/** Seconds from the kill to the end of the last task. @throws Error if the other worker had tasks before the kill */
async function killAndWait(bench: Bench, killed: ContenderProcess, other: ContenderProcess): Promise<number> {
  const { heldMs } = TIMES[bench.mode];
  await killed.go();
  await sleep(heldMs, undefined, { signal: bench.signal });
  await other.go();
  // Lets the other worker start to poll
  await sleep(heldMs / 4, undefined, { signal: bench.signal });
  const killedAtMs = nowMs();
  await killed.kill();
  const { lastAtMs, records = [] } = await other.finished(LIMIT_MS);
  const early = records.filter(([, , startedAtMs]) => startedAtMs < killedAtMs).length;
  if (early > 0)
    throw new Error(`the killed worker lacked ${early} of ${TASKS} tasks; expected it to hold all`);
  return (lastAtMs - killedAtMs) / 1000;
}
