import { type Job as BullJob, Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { type Job, ready, sendAll, settings, Work } from '../protocol.ts';
import { exitOnSigterm } from './shutdown.ts';

// BullMQ's program: on Redis, not on SQS, on the same machine. It is the upper anchor

const connection = new Redis(process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379', {
  // A worker's connection requires it (guide, "Connections")
  maxRetriesPerRequest: null,
});
const names = settings.queueUrls.map((url) => url.slice(url.lastIndexOf('/') + 1));
const leaseMs = settings.leaseSeconds * 1000;

function workerOf(name: string, concurrency: number, work: Work): Worker<Job> {
  const worker = new Worker<Job>(name, ({ data }: BullJob<Job>) => work.run(data), {
    connection,
    concurrency,
    autorun: false,
    // As on an SQS queue, finished tasks are removed (guide, "Auto-removal of jobs")
    removeOnComplete: { count: 0 },
    // The lock corresponds to the visibility timeout of SQS
    lockDuration: leaseMs,
    // Default 30 s. This finds an expired lock sooner, for one command per second
    stalledInterval: 1000,
  });
  worker.on('error', ({ message }) => console.error(message));
  return worker;
}

if (settings.role === 'work') {
  const work = new Work(settings);
  const concurrency = Math.ceil(settings.concurrency / names.length);
  const workers = names.map((name) => workerOf(name, concurrency, work));
  let open = workers.length;
  exitOnSigterm(
    () => workers.map(async (worker) => worker.close().then(() => open--)),
    () => open,
  );
  await Promise.all(workers.map((worker) => worker.waitUntilReady()));
  await ready();
  for (const worker of workers) void worker.run();
} else {
  const queue = new Queue<Job>(names[0] ?? '', { connection });
  await queue.waitUntilReady();
  await ready();
  await sendAll(
    settings,
    (job) => queue.add('job', job),
    (jobs) => queue.addBulk(jobs.map((data) => ({ name: 'job', data }))),
  );
  process.exit(0);
}
