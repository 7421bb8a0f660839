import type { Bench, Measure } from '../bench.ts';
import type { Broker } from '../brokers/broker.ts';
import type { Contender } from '../contender.ts';
import { ContenderProcess } from '../contender-process.ts';
import { allHandledOnce, fill, limitMs, withQueue } from '../load.ts';
import { onOneBroker, takingPart } from '../pairs.ts';
import { nowMs, type Progress } from '../protocol.ts';

const WORKERS = { full: [1, 2, 5, 10], quick: [2] } as const;
const CONCURRENCY = 10;
const TASK_MS = 100;
/** Tasks for each worker: in full mode they take about 16 s. */
const TASKS_A_WORKER = { full: 1600, quick: 30 } as const;
const LEASE_SECONDS = 60;

/** The throughput of more workers on sleeping tasks. The queue and the workers limit it, not the machine's cores. */
export const scaling: Measure = {
  id: 'scaling',
  title: '1 to 10 workers',
  rounds: { full: 3, quick: 1 },
  run: async (bench) => {
    const contenders = takingPart(bench, { quick: ['baton'], full: ['baton', 'raw-loop'] });
    for (const workers of WORKERS[bench.mode]) {
      const part = async (contender: Contender, broker: Broker): Promise<void> => {
        const value = await throughputOf(bench, contender, broker, workers);
        const by = { contender: contender.name, broker: broker.name, at: workers };
        bench.record({ ...by, figure: 'throughput', unit: 'tasks/s', value });
      };
      await onOneBroker(bench, contenders, part, workers);
    }
  },
};

/** Tasks per second of several workers on one queue. */
async function throughputOf(
  bench: Bench,
  contender: Contender,
  broker: Broker,
  workers: number,
): Promise<number> {
  const { signal } = bench;
  const tasks = TASKS_A_WORKER[bench.mode] * workers;
  const load = { contender, broker, tasks, jobs: `sleep:${TASK_MS}` };
  const all = new Together(tasks);
  const started: ContenderProcess[] = [];
  const run = async (queueUrl: string): Promise<number> => {
    const settings = {
      role: 'work',
      queueUrls: [queueUrl],
      concurrency: CONCURRENCY,
      progressEvery: 1,
    } as const;
    const start = {
      settings,
      environment: broker.environment,
      signal,
      onProgress: (line: Progress) => all.hear(line),
    };
    while (started.length < workers) started.push(new ContenderProcess(contender, start));
    await fill(bench, load, queueUrl);
    await Promise.all(started.map((worker) => worker.ready()));
    const goAtMs = nowMs();
    await Promise.all(started.map((worker) => worker.go()));
    // A worker that ends too early fails the part. Workers write only progress lines here
    const lastAtMs = await Promise.race([all.done, ...started.map((worker) => neverFinished(worker, tasks))]);
    await allHandledOnce(load, queueUrl, { tasks: all.handled });
    return (tasks * 1000) / (lastAtMs - goAtMs);
  };
  try {
    return await withQueue(broker, run, LEASE_SECONDS);
  } finally {
    await Promise.all(started.map((worker) => worker.kill()));
  }
}

async function neverFinished(worker: ContenderProcess, tasks: number): Promise<never> {
  await worker.finished(limitMs(tasks));
  throw new Error('a worker wrote the line "finished"; expected only "progress"');
}

/** Counts the tasks that several workers have handled together. */
class Together {
  readonly #tasks: number;
  readonly #done = Promise.withResolvers<number>();
  #handled = 0;

  constructor(tasks: number) {
    this.#tasks = tasks;
  }

  /** Resolves to the end of the last task. Epoch milliseconds. */
  get done(): Promise<number> {
    return this.#done.promise;
  }

  get handled(): number {
    return this.#handled;
  }

  /** Counts one more task. */
  hear({ atMs }: Progress): void {
    this.#handled++;
    if (this.#handled === this.#tasks) this.#done.resolve(atMs);
  }
}
