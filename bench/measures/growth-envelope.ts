import type { Measure } from '../bench.ts';
import { recordCosts } from '../costs.ts';
import { drain } from '../load.ts';
import { onOneBroker, takingPart } from '../pairs.ts';

/** Size of a task in bytes and number of tasks. An SQS message has at most 1 MiB, including the envelope. */
const STEPS = {
  full: [
    [1000, 10_000],
    [10_000, 10_000],
    [100_000, 2000],
    [1_000_000, 300],
  ],
  quick: [
    [1000, 50],
    [1_000_000, 5],
  ],
} as const;

/** The cost of sending and handling a task of growing size. */
export const growthEnvelope: Measure = {
  id: 'growth-envelope',
  title: 'Growth: size of a task',
  rounds: { full: 1, quick: 1 },
  run: async (bench) => {
    const contenders = takingPart(bench, { quick: ['baton'], full: ['baton', 'raw-loop'] });
    for (const [bytes, tasks] of STEPS[bench.mode]) {
      await onOneBroker(
        bench,
        contenders,
        async (contender, broker) => {
          const load = { contender, broker, tasks, jobs: `bytes:${bytes}` };
          const { sent, ...worked } = await drain(bench, load, { concurrency: contender.drainConcurrency });
          // From the first send to the end of the last task, without the pause between sending and working
          const cpuMs = sent.cpuMs + worked.cpuMs;
          const lastAtMs = worked.lastAtMs + (sent.lastAtMs - sent.firstAtMs);
          recordCosts(
            bench,
            { contender: contender.name, broker: broker.name, at: bytes },
            { ...worked, cpuMs, lastAtMs },
          );
        },
        bytes,
      );
    }
  },
};
