import { type Job as BullJob, Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { type Job, ready, sendAll, settings, Work } from '../protocol.ts';
import { exitOnSigterm } from './shutdown.ts';

// BullMQ: not on SQS but on Redis, on the same machine. The upper anchor.

const connection = new Redis(process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379', {
  // What a worker's connection must have (guide, "Connections")
  maxRetriesPerRequest: null,
});
const names = settings.queueUrls.map((url) => url.slice(url.lastIndexOf('/') + 1));
const leaseMs = settings.leaseSeconds * 1000;

function workerOf(name: string, concurrency: number, work: Work): Worker<Job> {
  const worker = new Worker<Job>(name, ({ data }: BullJob<Job>) => work.run(data), {
    connection,
    concurrency,
    autorun: false,
    // As on a queue of SQS, nothing stays of a task that is done (guide, "Auto-removal of jobs")
    removeOnComplete: { count: 0 },
    // The lock is what SQS calls the visibility timeout
    lockDuration: leaseMs,
    // Default 30 s; a lock that ran out is found sooner, at the cost of a command a second
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
