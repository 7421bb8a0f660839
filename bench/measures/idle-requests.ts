import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench, Measure } from '../bench.ts';
import type { RequestCounts } from '../brokers/counting-server.ts';
import { requestsIn } from '../brokers/requests.ts';
import type { Contender } from '../contender.ts';
import { ContenderProcess } from '../contender-process.ts';
import { takingPart } from '../pairs.ts';

const LEASE_SECONDS = 30;
/** Long polls take 20 s. Quick mode sees only the first ones. */
const WINDOW_MS = { full: 60_000, quick: 2000 } as const;
/** Time until all first polls have started. Full mode does not count those. */
const SETTLE_MS = { full: 5000, quick: 0 } as const;

/** An idle worker, and the setting that the measure varies. */
interface Idle {
  readonly contender: Contender;
  readonly queueUrls: readonly string[];
  readonly concurrency: number;
  readonly varied: 'queues' | 'concurrency';
}

const FORMS = [
  ...[1, 3].map((queues) => ({ queues, concurrency: 10, varied: 'queues' as const })),
  ...[1, 10, 100].map((concurrency) => ({ queues: 1, concurrency, varied: 'concurrency' as const })),
];

/** The receives of an idle worker per minute, and whether it polls every queue. */
export const idleRequests: Measure = {
  id: 'idle-requests',
  title: 'Requests at idle',
  rounds: { full: 1, quick: 1 },
  run: async (bench) => {
    const some = takingPart(bench, { quick: ['baton'], full: ['baton', 'raw-loop', 'sqs-consumer'] });
    const fauxqs = await bench.brokers.fauxqs();
    const workers = new Map<Idle, ContenderProcess>();
    try {
      for (const contender of some.filter(({ queues }) => queues === 'sqs')) {
        await bench.attempt({ contender: contender.name, broker: 'fauxqs' }, () =>
          startIdle(bench, contender, workers),
        );
      }
      // All workers idle at the same time. Each has its own queues, which identify its requests
      await Promise.all([...workers.values()].map((worker) => worker.go()));
      await sleep(SETTLE_MS[bench.mode], undefined, { signal: bench.signal });
      if (bench.mode === 'full') await fauxqs.takeCounts();
      await sleep(WINDOW_MS[bench.mode], undefined, { signal: bench.signal });
      const counts = await fauxqs.takeCounts();
      for (const idle of workers.keys()) recordIdle(bench, idle, counts);
    } finally {
      await Promise.all([...workers.values()].map((worker) => worker.kill()));
      const queueUrls = [...workers.keys()].flatMap((idle) => idle.queueUrls);
      await Promise.all(queueUrls.map((queueUrl) => fauxqs.deleteQueue(queueUrl)));
    }
  },
};

async function startIdle(
  bench: Bench,
  contender: Contender,
  workers: Map<Idle, ContenderProcess>,
): Promise<void> {
  const fauxqs = await bench.brokers.fauxqs();
  for (const { queues, concurrency, varied } of FORMS) {
    const queueUrls = await Promise.all(
      Array.from({ length: queues }, () => fauxqs.createQueue(LEASE_SECONDS)),
    );
    const settings = { role: 'work', queueUrls, concurrency, leaseSeconds: LEASE_SECONDS } as const;
    const worker = new ContenderProcess(contender, {
      settings,
      environment: fauxqs.environment,
      signal: bench.signal,
    });
    workers.set({ contender, queueUrls, concurrency, varied }, worker);
  }
}

function recordIdle(bench: Bench, idle: Idle, counts: RequestCounts): void {
  const { queueUrls, concurrency, varied } = idle;
  const by = { contender: idle.contender.name, broker: 'fauxqs' };
  const receives = queueUrls.map((queueUrl) => requestsIn(counts, queueUrl).receive);
  const all = receives.reduce((sum, each) => sum + each, 0);
  const value = bench.mode === 'full' ? (all * 60_000) / WINDOW_MS.full : all;
  if (varied === 'concurrency') {
    bench.record({ ...by, figure: 'requests-concurrency', unit: 'requests/min', at: concurrency, value });
    return;
  }
  bench.record({ ...by, figure: 'requests', unit: 'requests/min', at: queueUrls.length, value });
  const polled = receives.filter((each) => each > 0).length;
  bench.record({ ...by, figure: 'queues-polled', unit: 'requests', at: queueUrls.length, value: polled });
}
