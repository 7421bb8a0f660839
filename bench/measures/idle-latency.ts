import type { Measure } from '../bench.ts';
import { workWhileSent } from '../load.ts';
import { onOneBroker, takingPart } from '../pairs.ts';
import { percentile } from '../statistics.ts';

const CONCURRENCY = 10;
/** Tasks per second: slow enough that each task finds the worker idle. */
const RATE = 20;
const TASKS = { full: 200, quick: 20 } as const;
/** The first tasks do not count: their connections have to be opened. */
const WARM_UP = { full: 20, quick: 2 } as const;

/** The time from the send of a task to the start of its handler while the worker is idle. */
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
