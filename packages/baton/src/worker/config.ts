import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { parseConfig, port, sharedVariables, tasksTable, text, wholeNumber } from '../process/config.ts';
import * as z from 'zod';
import packageJson from '../../package.json' with { type: 'json' };

/** A queue whose messages a function runs: the worker does for it what Lambda's event source would do on AWS. */
const lambdaQueueSchema = z.strictObject({
  /** As contracts call it; a lane's queue, such as `payments_high`, has an entry of its own. */
  queue: z.string().regex(/^[a-z0-9-]+(_[a-z0-9-]+)?$/),
  functionName: z.string().min(1),
  /** Messages in one invocation. Default 10, as Lambda's own. */
  batchSize: z.int().min(1).max(10_000).default(10),
  /** Invocations at one time. Default 10. */
  maximumConcurrency: z.int().min(1).max(1000).default(10),
});

/** A queue whose messages a function runs. */
export type LambdaQueue = z.output<typeof lambdaQueueSchema>;

const lambdaQueues = z
  .string()
  .transform((value, context) => {
    try {
      return JSON.parse(value) as unknown;
    } catch {
      context.addIssue({
        code: 'custom',
        message: 'expected JSON: a list of { queue, functionName, batchSize, maximumConcurrency }',
      });
      return z.NEVER;
    }
  })
  .pipe(z.array(lambdaQueueSchema));

/** The list in a file, which is there before the worker starts: as orchestrators hand over what is made elsewhere. */
const lambdaQueuesFile = z
  .string()
  .transform((path, context) => {
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      context.addIssue({ code: 'custom', message: `cannot be read: ${(error as Error).message}` });
      return z.NEVER;
    }
  })
  .pipe(lambdaQueues);

const queueWeights = z
  .string()
  .regex(/^(all|none|[a-z0-9-]+(:[1-9]\d{0,2})?(,[a-z0-9-]+(:[1-9]\d{0,2})?)*)$/, {
    error:
      'expected all, none, or queue names with commas between, each with a weight of 1 to 999 if you like: payments:3,default:1',
  })
  .default('all')
  .transform((value): 'all' | ReadonlyMap<string, number> => {
    if (value === 'all') return 'all';
    const entries = value === 'none' ? [] : value.split(',').map((entry) => entry.split(':'));
    return new Map(entries.map(([queue = '', weight = '1']) => [queue, Number(weight)]));
  });

const variables = z
  .object({
    ...sharedVariables,
    TASKS_TABLE: tasksTable,
    WORKER_ID: text('a name of its own for each worker')
      .max(128, { error: 'expected at most 128 characters' })
      .default(() => `${hostname()}-${randomUUID().slice(0, 8)}`),
    WORKER_CONCURRENCY: wholeNumber(1, 1000, 10),
    WORKER_QUEUES: queueWeights,
    WORKER_LAMBDA_QUEUES: lambdaQueues.optional(),
    WORKER_LAMBDA_QUEUES_FILE: lambdaQueuesFile.optional(),
    WORKER_WAIT_SECONDS: wholeNumber(1, 20, 20),
    LEASE_SECONDS: wholeNumber(3, 43_200, 30),
    DRAIN_TIMEOUT_SECONDS: wholeNumber(1, 3600, 25),
    ABORT_GRACE_SECONDS: wholeNumber(1, 3600, 5),
    HEALTH_HOST: text('an address to listen at').default('127.0.0.1'),
    HEALTH_PORT: port(9090),
  })
  .superRefine((environment, context) => {
    const { WORKER_QUEUES, WORKER_WAIT_SECONDS, DRAIN_TIMEOUT_SECONDS } = environment;
    const { WORKER_LAMBDA_QUEUES: list, WORKER_LAMBDA_QUEUES_FILE: fromFile } = environment;
    const variable = fromFile ? 'WORKER_LAMBDA_QUEUES_FILE' : 'WORKER_LAMBDA_QUEUES';
    if (list && fromFile) {
      const message = 'stands beside WORKER_LAMBDA_QUEUES; expected one of the two';
      context.addIssue({ code: 'custom', path: [variable], message });
    }
    const twice = (fromFile ?? list)?.find(
      ({ queue }) => WORKER_QUEUES !== 'all' && WORKER_QUEUES.has(queue),
    );
    if (twice) {
      const message = `${twice.queue} stands in WORKER_QUEUES too; a queue has one executor`;
      context.addIssue({ code: 'custom', path: [variable], message });
    }
    if (WORKER_WAIT_SECONDS > DRAIN_TIMEOUT_SECONDS) {
      // A poll that is cut short can strand a message until its lease ends, so it has to end within the drain
      const message = `expected at least WORKER_WAIT_SECONDS, which is ${WORKER_WAIT_SECONDS}`;
      context.addIssue({ code: 'custom', path: ['DRAIN_TIMEOUT_SECONDS'], message });
    }
  })
  .transform((environment) => ({
    logLevel: environment.LOG_LEVEL,
    queueUrlPrefix: environment.QUEUE_URL_PREFIX,
    tasksTable: environment.TASKS_TABLE,
    region: environment.AWS_REGION,
    workerId: environment.WORKER_ID,
    version: packageJson.version,
    revision: environment.REVISION,
    concurrency: environment.WORKER_CONCURRENCY,
    queues: environment.WORKER_QUEUES,
    lambdaQueues: environment.WORKER_LAMBDA_QUEUES ?? environment.WORKER_LAMBDA_QUEUES_FILE ?? [],
    waitSeconds: environment.WORKER_WAIT_SECONDS,
    leaseSeconds: environment.LEASE_SECONDS,
    drainTimeoutSeconds: environment.DRAIN_TIMEOUT_SECONDS,
    abortGraceSeconds: environment.ABORT_GRACE_SECONDS,
    unknownTaskPatienceSeconds: environment.UNKNOWN_TASK_PATIENCE_SECONDS,
    healthHost: environment.HEALTH_HOST,
    healthPort: environment.HEALTH_PORT,
  }));

/** What a worker is configured with; `.env.example` beside this file says what each variable means. */
export type WorkerConfig = z.output<typeof variables>;

/** Reads a worker's configuration. @throws ConfigError naming each variable that is missing or wrong */
export function readWorkerConfig(environment: NodeJS.ProcessEnv): WorkerConfig {
  return parseConfig(variables, environment);
}
