import type { Measure } from '../bench.ts';
import { recordCosts } from '../costs.ts';
import { drain } from '../load.ts';
import { onOneBroker, takingPart } from '../pairs.ts';

/** Concurrency and number of tasks. Fewer tasks at low concurrency, because they run one after the other. */
const STEPS = {
  full: [
    [1, 2000],
    [10, 5000],
    [100, 20_000],
    [1000, 20_000],
  ],
  quick: [
    [1, 20],
    [1000, 100],
  ],
} as const;

/** The cost of a task at growing concurrency. */
export const growthConcurrency: Measure = {
  id: 'growth-concurrency',
  title: 'Growth: concurrency',
  rounds: { full: 1, quick: 1 },
  run: async (bench) => {
    const contenders = takingPart(bench, {
      quick: ['baton'],
      full: ['baton', 'raw-loop', 'sqs-consumer-batch'],
    });
    for (const [concurrency, tasks] of STEPS[bench.mode]) {
      await onOneBroker(
        bench,
        contenders,
        async (contender, broker) => {
          const seen = await drain(bench, { contender, broker, tasks }, { concurrency });
          recordCosts(bench, { contender: contender.name, broker: broker.name, at: concurrency }, seen);
        },
        concurrency,
      );
    }
  },
};
