import type { Bench, Measure } from '../bench.ts';
import type { Broker } from '../brokers/broker.ts';
import type { Contender } from '../contender.ts';
import { recordCosts } from '../costs.ts';
import { drain, type Drained, tasksFor } from '../load.ts';
import { contendersOn, onBroker, takingPart } from '../pairs.ts';

const TASKS = { full: 50_000, quick: 300 } as const;

/** The speed and the cost of a worker on no-op tasks that are all queued before it starts. */
export const drainMeasure: Measure = {
  id: 'drain',
  title: 'Drain of no-op tasks',
  rounds: { full: 5, quick: 1 },
  run: async (bench) => {
    const { contenders } = bench;
    const few = takingPart(bench, { quick: ['baton', 'raw-loop'] });
    const takers = { fauxqs: contenders, redis: contenders, elasticmq: few };
    for (const name of ['fauxqs', 'redis', 'elasticmq'] as const) {
      // A broker that has just started is slower, which would be unfair to the first contender
      if (bench.mode === 'full' && bench.round === 1)
        await onBroker(bench, name, contendersOn(name, takers[name]).slice(0, 1), warmUp(bench));
      await onBroker(bench, name, takers[name], drainOnce(bench));
    }
  },
};

const warmUp = (bench: Bench) => async (contender: Contender, broker: Broker) => {
  await drainNoops(bench, contender, broker);
};

const drainOnce = (bench: Bench) => async (contender: Contender, broker: Broker) => {
  const seen = await drainNoops(bench, contender, broker);
  const by = { contender: contender.name, broker: broker.name };
  recordCosts(bench, by, seen);
  bench.record({ ...by, figure: 'peak-memory', unit: 'MB', value: seen.peakMb });
};

function drainNoops(bench: Bench, contender: Contender, broker: Broker): Promise<Drained> {
  const tasks = tasksFor(contender, TASKS[bench.mode]);
  return drain(bench, { contender, broker, tasks }, { concurrency: contender.drainConcurrency });
}
