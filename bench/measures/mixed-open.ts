import type { Measure } from '../bench.ts';
import { atUnequal, workWhileSent } from '../load.ts';
import { onOneBroker, takingPart } from '../pairs.ts';
import { percentile } from '../statistics.ts';
import { fastOnes } from './mixed-queued.ts';

const CONCURRENCY = 50;
const RATE = 200;
const TASKS = { full: 3000, quick: 100 } as const;

/** Slow and fast tasks that are sent at 200 per second: the time of a fast task from its send to its end. */
export const mixedOpen: Measure = {
  id: 'mixed-open',
  title: 'Mixed tasks, 200 per second',
  rounds: { full: 3, quick: 1 },
  run: (bench) => {
    const tasks = TASKS[bench.mode];
    const contenders = takingPart(bench, { quick: ['baton', 'sqs-consumer', 'bullmq'] });
    return onOneBroker(bench, contenders, async (contender, broker) => {
      const load = { contender: atUnequal(contender), broker, tasks, jobs: 'mixed', rate: RATE };
      const settings = { concurrency: CONCURRENCY, record: true };
      const { records = [] } = await workWhileSent(bench, load, settings);
      const by = { contender: contender.name, broker: broker.name };
      const fast = fastOnes(records).map(([, sentAtMs, , finishedAtMs]) => finishedAtMs - sentAtMs);
      bench.record({ ...by, figure: 'fast-p50', unit: 'ms', value: percentile(fast, 0.5) });
      bench.record({ ...by, figure: 'fast-p99', unit: 'ms', value: percentile(fast, 0.99) });
    });
  },
};
