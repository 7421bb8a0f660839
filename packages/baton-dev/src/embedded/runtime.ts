// The embedded runtime.
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  createSqsClient,
  Implementations,
  isScheduled,
  isTransient,
  reasonOf,
  standardOutput,
  writeLogsTo,
} from 'baton-tasks/tooling';
import { readWorkerConfig, type RunningServer, serveHealth, Worker } from 'baton-tasks/tooling/processes';
import { createLogger } from 'baton-tasks/service';
import type ServerlessOffline from 'serverless-offline';
import type { OfflineOptions } from 'serverless-offline';
import { readContracts } from '../stack/contracts.ts';
import { type EventSource, eventSourcesOf } from '../stack/event-sources.ts';
import { readImplementations } from '../stack/implementations.ts';
import { stagePrefixOf, WORKER_FOLDER } from '../stack/names.ts';
import { type ExampleRequest, readParts } from '../stack/part.ts';
import type { Resources } from '../stack/resources.ts';
import { ROOT } from '../stack/root.ts';
import type { FunctionDefinition, Serverless } from '../stack/serverless.ts';
import { printError } from '../terminal/print.ts';
import { startAccess } from './access.ts';
import { banner } from './banner.ts';
import type { LocalConfig } from './config.ts';
import { createResources } from './create-resources.ts';
import { type Emulator, startDynamoDb, startSqs } from './emulators.ts';
import { fillIn, fillInParameters, pointSdkAt } from './environment.ts';
import { checkPorts, HOST } from './ports.ts';
import { prettyLogs } from './pretty-logs.ts';
import { characterFrom, describeCharacter } from './sqs/sqs-character.ts';
import { refuseWebPages } from './web-pages.ts';

/** The wait of polls. It is short, so that the worker stops soon; polls of an emulator cost nothing. */
const WAIT_SECONDS = 1;
/** The slots of the worker. All tasks run in it, and most of them wait for an emulator. */
const CONCURRENCY = 50;
/** How long servers and emulators may take to stop after the worker. */
const STOP_RESERVE_MS = 15_000;
const SETUP_TIMEOUTS = { connectionTimeout: 1000, requestTimeout: 10_000, throwOnRequestTimeout: true };
const UNKNOWN_ROUTE = {
  handler: 'packages/baton-dev/src/embedded/unknown-route.handler',
  events: [{ httpApi: { method: '*', path: '*' } }],
};

/** The embedded runtime: emulators of AWS, the services' functions and a worker in this process. */
export class LocalRuntime {
  readonly #serverless: Serverless;
  readonly #offline: ServerlessOffline;
  readonly #options: OfflineOptions;
  /** The stops of the started parts, in the order of their starts. They are called in reverse order. */
  readonly #stops: (() => Promise<unknown>)[] = [];
  #worker: Worker | undefined;

  constructor(serverless: Serverless, offline: ServerlessOffline, options: OfflineOptions) {
    this.#serverless = serverless;
    this.#offline = offline;
    this.#options = options;
  }

  /** Starts all parts. @throws Error that names a taken port, a wrong variable or an unsupported resource */
  async start(config: LocalConfig): Promise<void> {
    const startedAtMs = performance.now();
    if (process.stdout.isTTY) writeLogsTo(standardOutput({ service: 'baton', format: prettyLogs() }));
    const { HTTP_PORT: httpPort, LAMBDA_PORT: lambdaPort } = config;
    await checkPorts({
      HTTP_PORT: httpPort,
      LAMBDA_PORT: lambdaPort,
      HEALTH_PORT: config.HEALTH_PORT,
      ...(!config.AWS_ENDPOINT_URL_SQS && { SQS_PORT: config.SQS_PORT }),
      ...(!config.AWS_ENDPOINT_URL_DYNAMODB && { DYNAMODB_PORT: config.DYNAMODB_PORT }),
    });

    refuseWebPages(config.ALLOWED_HOSTS);
    const character = characterFrom(config);
    const sqs =
      config.AWS_ENDPOINT_URL_SQS ?? (await this.#emulate(startSqs(config.SQS_PORT, HOST, character)));
    const dynamoDb =
      config.AWS_ENDPOINT_URL_DYNAMODB ??
      (await this.#emulate(startDynamoDb(config.DYNAMODB_PORT, HOST, 'on disk')));
    const { provider, functions, resources } = this.#serverless.service;
    pointSdkAt({ sqs, dynamoDb, lambda: `http://${HOST}:${lambdaPort}`, region: provider.region });

    const stack = resources?.Resources ?? {};
    const stagePrefix = stagePrefixOf(provider.stage);
    const sources = eventSourcesOf(functions, stack, provider.stage);
    const access = await startAccess(config);
    this.#stops.push(() => access.stop());
    Object.assign(process.env, access.environment);
    this.#fillIn(await this.#createResources(stack, stagePrefix, { sqs, dynamoDb }));
    await loadHandlers(Object.values(functions), this.#serverless.serviceDir);
    await this.#startFunctions(httpPort, lambdaPort);
    const worker = await this.#startWorker(sources);

    const http = `http://${HOST}:${httpPort}`;
    const health = `http://${HOST}:${config.HEALTH_PORT}/health/state`;
    const queues = worker.state.queues.map(({ queue, executor }) => ({
      name: queue,
      runs: runnerOf(queue, executor, sources),
    }));
    const startedInMs = performance.now() - startedAtMs;
    const sqsRow = config.AWS_ENDPOINT_URL_SQS ?? `${sqs}  ${describeCharacter(character)}`;
    process.stdout.write(
      banner({
        http,
        prefixes: prefixesOf(functions),
        sqs: sqsRow,
        dynamoDb,
        health,
        queues,
        access,
        examples: examplesOf(provider.stage),
        startedInMs,
      }),
    );
  }

  /** The longest that a stop takes, in milliseconds. */
  get stopLimitMs(): number {
    return (this.#worker?.stopLimitMs ?? 0) + STOP_RESERVE_MS;
  }

  /** Stops all started parts, the last one first. */
  async stop(): Promise<void> {
    for (const stop of this.#stops.splice(0).toReversed()) await stop();
  }

  async #emulate(starting: Promise<Emulator>): Promise<string> {
    const emulator = await starting;
    this.#stops.push(() => emulator.stop());
    return emulator.endpoint;
  }

  async #createResources(
    stack: Resources,
    stagePrefix: string,
    at: Readonly<Record<string, string>>,
  ): Promise<string> {
    const sqs = createSqsClient();
    const dynamoDb = new DynamoDBClient({ requestHandler: SETUP_TIMEOUTS });
    try {
      return await createResources(stack, stagePrefix, { sqs, dynamoDb });
    } catch (cause) {
      if (!isTransient(cause)) throw cause;
      const endpoints = `SQS at ${at['sqs']} (AWS_ENDPOINT_URL_SQS), DynamoDB at ${at['dynamoDb']} (AWS_ENDPOINT_URL_DYNAMODB)`;
      throw new Error(`Queues and tables could not be created: ${reasonOf(cause)}\n${endpoints}`, { cause });
    } finally {
      sqs.destroy();
      dynamoDb.destroy();
    }
  }

  #fillIn(queueUrlPrefix: string): void {
    const { provider, functions } = this.#serverless.service;
    fillInParameters(functions, [...readParts(provider.stage).values()]);
    const environments = [provider, ...Object.values(functions)].flatMap(({ environment }) =>
      environment ? [environment] : [],
    );
    fillIn(environments, { QUEUE_URL_PREFIX: queueUrlPrefix, TASKS_TABLE: `baton-${provider.stage}-tasks` });
  }

  async #startFunctions(httpPort: number, lambdaPort: number): Promise<void> {
    const { provider, functions } = this.#serverless.service;
    functions['unknownRoute'] = { ...UNKNOWN_ROUTE, name: `${stagePrefixOf(provider.stage)}unknownRoute` };
    Object.assign(this.#options, {
      httpPort,
      lambdaPort,
      host: HOST,
      noSponsor: true,
      noTimeout: true,
      useInProcess: true,
    });
    this.#stops.push(() => this.#offline.end(true));
    await withoutConsole(() => this.#offline.start());
  }

  async #startWorker(sources: readonly EventSource[]): Promise<Worker> {
    const config = readWorkerConfig({
      WORKER_WAIT_SECONDS: String(WAIT_SECONDS),
      WORKER_CONCURRENCY: String(CONCURRENCY),
      ...process.env,
      WORKER_LAMBDA_QUEUES: JSON.stringify(sources),
      HEALTH_HOST: HOST,
    });
    const logger = createLogger({ service: 'worker', level: config.logLevel });
    const threadEntry = pathToFileURL(join(ROOT, WORKER_FOLDER, 'thread.ts'));
    const [implementations, contracts] = await Promise.all([readImplementations(), readContracts()]);
    const worker = new Worker({
      config,
      implementations: new Implementations(implementations),
      scheduled: contracts.filter(isScheduled),
      contracts,
      threadEntry,
      logger,
      processGuard: 'shared',
    });
    const health: RunningServer = await serveHealth(worker, config, logger);
    this.#stops.push(() => health.close());
    worker.start();
    this.#worker = worker;
    this.#stops.push(() => worker.stop());
    return worker;
  }
}

/** Loads every handler once. So a handler that cannot start stops the start, and the first request need not wait. */
async function loadHandlers(functions: readonly FunctionDefinition[], serviceDir: string): Promise<void> {
  for (const { handler, environment } of functions) {
    Object.assign(process.env, environment);
    // A handler with a wrong variable prints it and ends the process, as it does on AWS
    const explain = (status: number): void => {
      if (status > 0) printError(whyNotStarted(handler, environment));
    };
    process.once('exit', explain);
    await import(pathToFileURL(resolve(serviceDir, handler.replace(/\.\w+$/, '.ts'))).href);
    process.off('exit', explain);
  }
}

function whyNotStarted(handler: string, environment: Readonly<Record<string, unknown>> = {}): string {
  const empty = Object.keys(environment).filter((name) => environment[name] === '');
  const file = `${dirname(handler)}/functions.yml`;
  const expected =
    empty.length > 0
      ? `${file} leaves ${empty.join(', ')} empty: set it in the shell or in .env, or give its parameter a "local" value there`
      : `set its variables in ${file}, in the shell or in .env`;
  return `The function ${handler} did not start: ${expected}.\n`;
}

/** Silences console.log, with which serverless-offline draws a box of its routes. The banner shows them. */
async function withoutConsole(run: () => Promise<void>): Promise<void> {
  const { log } = console;
  console.log = () => undefined;
  try {
    await run();
  } finally {
    console.log = log;
  }
}

/** The example requests of the services. */
function examplesOf(stage: string): ExampleRequest[] {
  return [...readParts(stage).values()].flatMap(({ example }) => example ?? []);
}

/** The paths that functions.yml maps to functions, without those below them. */
function prefixesOf(functions: Serverless['service']['functions']): string[] {
  const routes = Object.values(functions).flatMap(({ events }) =>
    events.map((event) => JSON.stringify(event)),
  );
  return routes
    .flatMap((route) => /"ANY (\/[^{"]*)"/.exec(route)?.[1] ?? [])
    .filter((path) => !path.endsWith('/'));
}

function runnerOf(queue: string, executor: 'local' | 'lambda', sources: readonly EventSource[]): string {
  if (executor === 'local') return 'run by the worker';
  return `run by ${sources.find((source) => source.queue === queue)?.functionName}`;
}
