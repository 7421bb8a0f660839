import { implement } from 'baton-tasks';
import { createLogger } from 'baton-tasks/service';
import {
  createDocumentClient,
  createSqsClient,
  Implementations,
  QueueUrls,
  TaskClient,
  TaskStore,
} from 'baton-tasks/tooling';
import {
  onStopSignal,
  readWorkerConfig,
  serveHealth,
  stopAndExit,
  Worker,
} from 'baton-tasks/tooling/processes';
import { freePort } from 'baton-dev/testing/program';
import { type Job, ready, sendAll, settings, Work } from '../protocol.ts';
import { jobTask, trackedJobTask } from './job-tasks.ts';

// Baton's program: its worker as worker/main.ts runs it, and its task client. TRACKED=1 uses the table TASKS_TABLE

const { queueUrls, concurrency, leaseSeconds } = settings;
const tracked = process.env['TRACKED'] === '1';
const tasksTable = process.env['TASKS_TABLE'] ?? 'none';
const [firstUrl = ''] = queueUrls;
const QUEUE_URL_PREFIX = firstUrl.slice(0, firstUrl.lastIndexOf('/') + 1);
const queues = queueUrls.map((url) => url.slice(url.lastIndexOf('/') + 1));

if (settings.role === 'work') await work();
else await send();

async function work(): Promise<void> {
  const config = readWorkerConfig({
    ...process.env,
    QUEUE_URL_PREFIX,
    TASKS_TABLE: tasksTable,
    WORKER_QUEUES: queues.join(','),
    WORKER_CONCURRENCY: String(concurrency),
    WORKER_LEASE_SECONDS: String(leaseSeconds),
    HEALTH_PORT: String(await freePort()),
  });
  const logger = createLogger({ service: 'worker', level: config.logLevel });
  const jobs = new Work(settings);
  const run = async (job: Job): Promise<Record<string, never>> => {
    await jobs.run(job);
    return {};
  };
  const contracts = queues.map((queue) => (tracked ? trackedJobTask(queue) : jobTask(queue)));
  const implementations = new Implementations(contracts.map((contract) => implement(contract, run)));
  const worker = new Worker({ config, implementations, logger });
  onStopSignal(() => stopAndExit(worker, logger));
  await serveHealth(worker, config, logger);
  await ready();
  worker.start();
}

async function send(): Promise<void> {
  const tasks = new TaskClient({
    sqs: createSqsClient(),
    queueUrls: new QueueUrls(QUEUE_URL_PREFIX),
    source: 'bench',
    ...(tracked && { records: new TaskStore({ documents: createDocumentClient(), table: tasksTable }) }),
  });
  const [queue = ''] = queues;
  const contract = tracked ? trackedJobTask(queue) : jobTask(queue);
  await ready();
  await sendAll(settings, (job) => tasks.send(contract, job));
}
