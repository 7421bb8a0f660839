import type { Bench, Measure } from '../bench.ts';
import type { Broker } from '../brokers/broker.ts';
import { requestsIn } from '../brokers/requests.ts';
import type { Contender } from '../contender.ts';
import { send, tasksFor, withQueue } from '../load.ts';
import { onOneBroker, takingPart } from '../pairs.ts';
import type { Settings } from '../protocol.ts';

const TASKS = { full: 4000, quick: 200 } as const;

/** A way of sending: the number of sends in flight, and its settings. */
type Way = readonly [at: number, how: Partial<Settings>];

const ONE_BY_ONE: Way = [1, { inFlight: 1 }];
/** Baton joins sends of the same moment into batches by itself. Other libraries have a batch API, or nothing. */
const TOGETHER: Way = [100, { inFlight: 100 }];
const IN_TENS: Way = [10, { inFlight: 1, batch: true }];

/** Sends from one process: messages per second, and requests per message. */
export const sendMeasure: Measure = {
  id: 'send',
  title: 'Sends from one process',
  rounds: { full: 3, quick: 1 },
  run: async (bench) => {
    for (const contender of takingPart(bench, { quick: ['baton', 'raw-loop'] })) {
      for (const way of waysOf(contender))
        await onOneBroker(bench, [contender], (each, broker) => measureWay(bench, each, broker, way), way[0]);
    }
  },
};

function waysOf({ name, sends }: Contender): Way[] {
  if (sends === 'nothing') return [];
  if (sends === 'tens') return [ONE_BY_ONE, IN_TENS];
  return name === 'baton' ? [ONE_BY_ONE, TOGETHER] : [ONE_BY_ONE];
}

async function measureWay(bench: Bench, contender: Contender, broker: Broker, [at, how]: Way): Promise<void> {
  const tasks = tasksFor(contender, TASKS[bench.mode]);
  const by = { contender: contender.name, broker: broker.name, at };
  await withQueue(broker, async (queueUrl) => {
    const load = { contender, broker, tasks };
    const { firstAtMs, lastAtMs } = await send(bench, load, { queueUrls: [queueUrl], ...how });
    const held = await broker.messagesIn(queueUrl);
    if (held !== tasks) throw new Error(`${held} of ${tasks} messages are in the queue`);
    bench.record({
      ...by,
      figure: 'throughput',
      unit: 'messages/s',
      value: (tasks * 1000) / (lastAtMs - firstAtMs),
    });
    if (broker.name !== 'fauxqs') return;
    const fauxqs = await bench.brokers.fauxqs();
    const { send: requests } = requestsIn(await fauxqs.takeCounts(), queueUrl);
    bench.record({ ...by, figure: 'requests', unit: 'requests/task', value: requests / tasks });
  });
}
