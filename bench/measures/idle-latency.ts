import type { Measure } from '../bench.ts';
import { workWhileSent } from '../load.ts';
import { onOneBroker, takingPart } from '../pairs.ts';
import { percentile } from '../statistics.ts';

const CONCURRENCY = 10;
/** Slow enough that each finds the worker idle. */
const RATE = 20;
const TASKS = { full: 200, quick: 20 } as const;
/** The first find connections that are not there yet. */
const WARM_UP = { full: 20, quick: 2 } as const;

/** How long it takes from the sender of a task to its handler, where the worker has nothing else to do. */
export const idleLatency: Measure = {
  id: 'idle-latency',
  title: 'From send to start, idle',
  rounds: { full: 3, quick: 1 },
  run: (bench) => {
    const tasks = TASKS[bench.mode];
    const contenders = takingPart(bench, { quick: ['baton', 'raw-loop'] });
    return onOneBroker(bench, contenders, async (contender, broker) => {
      const load = { contender, broker, tasks, rate: RATE };
      const settings = { concurrency: CONCURRENCY, record: true };
      const { records = [] } = await workWhileSent(bench, load, settings);
      const by = { contender: contender.name, broker: broker.name };
      const waits = records
        .slice(WARM_UP[bench.mode])
        .map(([, sentAtMs, startedAtMs]) => startedAtMs - sentAtMs);
      bench.record({ ...by, figure: 'start-p50', unit: 'ms', value: percentile(waits, 0.5) });
      bench.record({ ...by, figure: 'start-p99', unit: 'ms', value: percentile(waits, 0.99) });
    });
  },
};
