// Reads the configuration of a worker from the environment.
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import {
  parseConfigs,
  port,
  sharedVariables,
  tasksTable,
  text,
  textFile,
  wholeNumber,
} from '../process/config.ts';
import type { SecretsManagerOptions } from '../aws/secrets-manager.ts';
import { type Signing, signingOf, signingSchemas } from '../aws/signing.ts';
import { functionsToken, functionsTokenFile } from '../http/server-config.ts';
import * as z from 'zod';
import packageJson from '../../package.json' with { type: 'json' };

/** A queue whose messages a function runs. The worker replaces Lambda's event source for it. */
const lambdaQueueSchema = z.strictObject({
  /** The queue's name in contracts. A lane, such as `payments_high`, has an entry of its own. */
  queue: z.string().regex(/^[a-z0-9-]+(_[a-z0-9-]+)?$/),
  functionName: z.string().min(1),
  /** The most messages in one invocation. Default 10, like Lambda's. */
  batchSize: z.int().min(1).max(10_000).default(10),
  /** The most invocations at one time. Default 10. */
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

/** The list in a file, which an orchestrator writes before the worker starts. */
const lambdaQueuesFile = textFile().pipe(lambdaQueues);

const queueWeights = z
  .string()
  .regex(/^(all|none|[a-z0-9-]+(:[1-9]\d{0,2})?(,[a-z0-9-]+(:[1-9]\d{0,2})?)*)$/, {
    error:
      'expected all, none, or queue names separated by commas, each optionally with a weight of 1 to 999: payments:3,default:1',
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
    WORKER_ID: text('a unique name for each worker')
      .max(128, { error: 'expected at most 128 characters' })
      .default(() => `${hostname()}-${randomUUID().slice(0, 8)}`),
    WORKER_CONCURRENCY: wholeNumber(1, 1000, 10),
    WORKER_QUEUES: queueWeights,
    WORKER_LAMBDA_QUEUES: lambdaQueues.optional(),
    WORKER_LAMBDA_QUEUES_FILE: lambdaQueuesFile.optional(),
    WORKER_WAIT_SECONDS: wholeNumber(1, 20, 20),
    WORKER_LEASE_SECONDS: wholeNumber(3, 43_200, 30),
    WORKER_DRAIN_TIMEOUT_SECONDS: wholeNumber(1, 3600, 25),
    WORKER_ABORT_GRACE_SECONDS: wholeNumber(1, 3600, 5),
    HEALTH_HOST: text('an address to listen at').default('127.0.0.1'),
    HEALTH_PORT: port(9090),
    FUNCTIONS_TOKEN: functionsToken,
    FUNCTIONS_TOKEN_FILE: functionsTokenFile,
  })
  .superRefine((environment, context) => {
    const { WORKER_QUEUES, WORKER_WAIT_SECONDS, WORKER_DRAIN_TIMEOUT_SECONDS } = environment;
    const { WORKER_LAMBDA_QUEUES: list, WORKER_LAMBDA_QUEUES_FILE: fromFile } = environment;
    const variable = fromFile ? 'WORKER_LAMBDA_QUEUES_FILE' : 'WORKER_LAMBDA_QUEUES';
    if (list && fromFile) {
      const message = 'is set together with WORKER_LAMBDA_QUEUES; expected only one of the two';
      context.addIssue({ code: 'custom', path: [variable], message });
    }
    const twice = (fromFile ?? list)?.find(
      ({ queue }) => WORKER_QUEUES !== 'all' && WORKER_QUEUES.has(queue),
    );
    if (twice) {
      const message = `${twice.queue} is in WORKER_QUEUES too; expected only one executor for each queue`;
      context.addIssue({ code: 'custom', path: [variable], message });
    }
    if (WORKER_WAIT_SECONDS > WORKER_DRAIN_TIMEOUT_SECONDS) {
      // A poll that is aborted can hide a message until its lease expires. So it must end within the drain time
      const message = `expected at least WORKER_WAIT_SECONDS, which is ${WORKER_WAIT_SECONDS}`;
      context.addIssue({ code: 'custom', path: ['WORKER_DRAIN_TIMEOUT_SECONDS'], message });
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
    leaseSeconds: environment.WORKER_LEASE_SECONDS,
    drainTimeoutSeconds: environment.WORKER_DRAIN_TIMEOUT_SECONDS,
    abortGraceSeconds: environment.WORKER_ABORT_GRACE_SECONDS,
    unknownTaskPatienceSeconds: environment.UNKNOWN_TASK_PATIENCE_SECONDS,
    healthHost: environment.HEALTH_HOST,
    healthPort: environment.HEALTH_PORT,
    ...tokenOf(environment.FUNCTIONS_TOKEN ?? environment.FUNCTIONS_TOKEN_FILE),
  }));

function tokenOf(token: string | undefined): { readonly functionsToken?: string } {
  return token === undefined ? {} : { functionsToken: token };
}

/** The configuration of a worker. `.env.example` of the worker's folder explains each variable. */
export type WorkerConfig = z.output<typeof variables> & {
  /** What the worker logs at its start, because it concerns the environment. */
  readonly warnings?: readonly string[];
  /** How it signs what it sends and writes, and checks what it receives and reads: not at all without keys. */
  readonly signing?: (credentials: SecretsManagerOptions['credentials']) => Signing | undefined;
};

/** The old names of variables, which this version still reads. */
const OLD_NAMES = ['LEASE_SECONDS', 'DRAIN_TIMEOUT_SECONDS', 'ABORT_GRACE_SECONDS'] as const;

/**
 * Reads the configuration of a worker. Reads the old name of a variable if the new one is not set, and adds a warning.
 *
 * @throws ConfigError that names each missing or wrong variable
 */
export function readWorkerConfig(environment: NodeJS.ProcessEnv): WorkerConfig {
  const isSet = (name: string): boolean => (environment[name] ?? '') !== '';
  const old = OLD_NAMES.filter(isSet);
  const renamed = old
    .filter((name) => !isSet(`WORKER_${name}`))
    .map((name) => [`WORKER_${name}`, environment[name]]);
  const warnings = old.map((name) =>
    isSet(`WORKER_${name}`)
      ? `${name} is deprecated and ignored, because WORKER_${name} is set`
      : `${name} is deprecated; expected WORKER_${name}`,
  );
  const given = { ...environment, ...Object.fromEntries(renamed) };
  const [config, ...signing] = parseConfigs([variables, ...signingSchemas], given);
  const endpoint = given.AWS_ENDPOINT_URL_SECRETS_MANAGER || given.AWS_ENDPOINT_URL || undefined;
  return {
    ...config,
    signing: (credentials) => signingOf(...signing, { credentials, endpoint }),
    warnings,
  };
}
