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
/** A rival may look for what a dead worker left at long intervals only. */
const LIMIT_MS = 120_000;

/** How long it takes until everything is done that a worker held when it was killed, with another beside it. */
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

/** Seconds from the kill to the last task's end. @throws Error where the other worker had some of the tasks before */
async function killAndWait(bench: Bench, killed: ContenderProcess, other: ContenderProcess): Promise<number> {
  const { heldMs } = TIMES[bench.mode];
  await killed.go();
  await sleep(heldMs, undefined, { signal: bench.signal });
  await other.go();
  // It polls by then
  await sleep(heldMs / 4, undefined, { signal: bench.signal });
  const killedAtMs = nowMs();
  await killed.kill();
  const { lastAtMs, records = [] } = await other.finished(LIMIT_MS);
  const early = records.filter(([, , startedAtMs]) => startedAtMs < killedAtMs).length;
  if (early > 0) throw new Error(`${early} of ${TASKS} tasks were not held by the worker that was killed`);
  return (lastAtMs - killedAtMs) / 1000;
}
