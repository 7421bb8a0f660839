import type { Bench, Measure } from '../bench.ts';
import type { Broker } from '../brokers/broker.ts';
import type { Contender } from '../contender.ts';
import { allHandledOnce, atUnequal, fill, limitMs, send, withQueue, withWorker } from '../load.ts';
import { onOneBroker, takingPart } from '../pairs.ts';
import type { Finished } from '../protocol.ts';
import { percentile } from '../statistics.ts';

const CONCURRENCY = 10;
const SHORT_MS = 5;
/** Slow tasks are all queued before the worker starts. Short tasks arrive at `rate` per second while it runs. */
const PLANS = {
  full: { slowMs: 3000, slow: 45, short: 60, rate: 5 },
  quick: { slowMs: 300, slow: 30, short: 10, rate: 20 },
} as const;

/** How long short tasks wait while slow tasks of another queue use the slots. Both queues have the same weight. */
export const besideSlow: Measure = {
  id: 'beside-slow',
  title: 'Short tasks beside slow ones',
  rounds: { full: 3, quick: 1 },
  run: (bench) => {
    const full = ['baton', 'raw-loop', 'sqs-consumer-single', 'celery', 'bullmq'];
    const contenders = takingPart(bench, { quick: ['baton', 'raw-loop'], full });
    return onOneBroker(bench, contenders, async (contender, broker) => {
      const { slowMs, slow } = PLANS[bench.mode];
      const { goAtMs, records = [] } = await workOnBoth(bench, atUnequal(contender), broker);
      const by = { contender: contender.name, broker: broker.name };
      const waits = records
        .filter(([ms]) => ms === SHORT_MS)
        .map(([, sentAtMs, startedAtMs]) => startedAtMs - sentAtMs);
      bench.record({ ...by, figure: 'short-p50', unit: 'ms', value: percentile(waits, 0.5) });
      bench.record({ ...by, figure: 'short-p99', unit: 'ms', value: percentile(waits, 0.99) });
      const lastSlowAtMs = Math.max(
        ...records.filter(([ms]) => ms === slowMs).map(([, , , endedAtMs]) => endedAtMs),
      );
      const idealMs = (slow * slowMs) / CONCURRENCY;
      bench.record({
        ...by,
        figure: 'slow-to-ideal',
        unit: 'times',
        value: (lastSlowAtMs - goAtMs) / idealMs,
      });
    });
  },
};

/** Fills both queues, has one worker do all tasks, and returns its report. */
function workOnBoth(bench: Bench, contender: Contender, broker: Broker): Promise<Finished> {
  const { slowMs, slow, short, rate } = PLANS[bench.mode];
  const tasks = slow + short;
  return withQueue(broker, (slowUrl) =>
    withQueue(broker, (shortUrl) => {
      const settings = { queueUrls: [slowUrl, shortUrl], concurrency: CONCURRENCY, tasks, record: true };
      return withWorker({ contender, broker, signal: bench.signal }, settings, async (worker) => {
        await fill(bench, { contender, broker, tasks: slow, jobs: `sleep:${slowMs}` }, slowUrl);
        await worker.go();
        const load = { contender, broker, tasks: short, jobs: `sleep:${SHORT_MS}` };
        await send(bench, load, { queueUrls: [shortUrl], rate, firstId: slow });
        const finished = await worker.finished(limitMs(tasks));
        for (const queueUrl of [slowUrl, shortUrl])
          await allHandledOnce({ broker, tasks }, queueUrl, finished);
        return finished;
      });
    }),
  );
}
