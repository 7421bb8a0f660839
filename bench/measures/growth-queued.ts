import type { Bench, Measure } from '../bench.ts';
import type { Broker } from '../brokers/broker.ts';
import type { Contender } from '../contender.ts';
import { recordCosts } from '../costs.ts';
import { drain } from '../load.ts';
import { onOneBroker, takingPart } from '../pairs.ts';
import type { Progress } from '../protocol.ts';

const SOME = { quick: ['baton'], full: ['baton', 'raw-loop', 'sqs-consumer-batch'] };
const QUEUED = { full: [1000, 10_000, 100_000], quick: [100] } as const;

const RUNNERS = { quick: ['baton'], full: ['baton', 'raw-loop'] };
const RUN_TASKS = { full: 1_000_000, quick: 400 } as const;
const TWENTIETHS = 20;
/** Samples of memory in each twentieth, which gets their mean: garbage collection makes single samples jump. */
const LOOKS = 10;

/**
 * The cost of a task with a growing number of tasks in the queue. The last and largest is one long run. Its memory is
 * recorded as `growth-run`, which shows whether it stays constant.
 */
export const growthQueued: Measure = {
  id: 'growth-queued',
  title: 'Growth: tasks in the queue',
  rounds: { full: 1, quick: 1 },
  run: async (bench) => {
    for (const tasks of QUEUED[bench.mode]) {
      const part = async (contender: Contender, broker: Broker): Promise<void> => {
        const load = { contender, broker, tasks };
        const seen = await drain(bench, load, { concurrency: contender.drainConcurrency });
        recordCosts(bench, { contender: contender.name, broker: broker.name, at: tasks }, seen);
      };
      await onOneBroker(bench, takingPart(bench, SOME), part, tasks);
    }
    const run = (contender: Contender, broker: Broker): Promise<void> => longRun(bench, contender, broker);
    await onOneBroker(bench, takingPart(bench, RUNNERS), run, RUN_TASKS[bench.mode]);
  },
};

async function longRun(bench: Bench, contender: Contender, broker: Broker): Promise<void> {
  const tasks = RUN_TASKS[bench.mode];
  const residentMb: number[] = [];
  const settings = {
    concurrency: contender.drainConcurrency,
    progressEvery: tasks / TWENTIETHS / LOOKS,
    onProgress: (line: Progress): void => void residentMb.push(line.residentMb),
  };
  const seen = await drain(bench, { contender, broker, tasks }, settings);
  const by = { contender: contender.name, broker: broker.name };
  recordCosts(bench, { ...by, at: tasks }, seen);
  for (let twentieth = 1; twentieth <= TWENTIETHS; twentieth++) {
    const looks = residentMb.slice((twentieth - 1) * LOOKS, twentieth * LOOKS);
    const value = looks.reduce((sum, each) => sum + each, 0) / looks.length;
    const at = (tasks * twentieth) / TWENTIETHS;
    bench.record({ ...by, measure: 'growth-run', figure: 'resident', unit: 'MB', at, value });
  }
}
