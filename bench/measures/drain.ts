import type { Bench, Measure } from '../bench.ts';
import type { Broker } from '../brokers/broker.ts';
import type { Contender } from '../contender.ts';
import { recordCosts } from '../costs.ts';
import { drain, tasksFor } from '../load.ts';
import { onBroker, takingPart } from '../pairs.ts';

const TASKS = { full: 20_000, quick: 300 } as const;

/** No-op tasks that were queued beforehand: what a worker costs, and how fast it is. */
export const drainMeasure: Measure = {
  id: 'drain',
  title: 'Drain of no-op tasks',
  rounds: { full: 6, quick: 1 },
  run: async (bench) => {
    const part = (contender: Contender, broker: Broker): Promise<void> => drainOnce(bench, contender, broker);
    for (const name of ['fauxqs', 'redis'] as const) await onBroker(bench, name, bench.contenders, part);
    await onBroker(bench, 'elasticmq', takingPart(bench, { quick: ['baton', 'raw-loop'] }), part);
  },
};

async function drainOnce(bench: Bench, contender: Contender, broker: Broker): Promise<void> {
  const tasks = tasksFor(contender, TASKS[bench.mode]);
  const { drainConcurrency: concurrency, name } = contender;
  const seen = await drain(bench, { contender, broker, tasks }, { concurrency });
  const by = { contender: name, broker: broker.name };
  recordCosts(bench, by, seen);
  bench.record({ ...by, figure: 'peak-memory', unit: 'MB', value: seen.peakMb });
}
