// Resources as a process: creates the queues and tables of the stack on an emulator.
import { writeFileSync } from 'node:fs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ConfigError, createLogger } from 'baton-tasks/service';
import { createSqsClient } from 'baton-tasks/tooling';
import { orExit, runServers, serveProcessHealth } from 'baton-tasks/tooling/processes';
import { eventSourcesOf } from '../../stack/event-sources.ts';
import { stagePrefixOf } from '../../stack/names.ts';
import { readResourcesConfig } from '../config.ts';
import { readStackFile } from '../stack-file.ts';
import { writeFunctionsToken } from './functions-token.ts';
import { Keeper } from './keeper.ts';

const ONCE_SECONDS = 60;
/** Answers only health checks. */
const DRAIN_SECONDS = 5;
const TIMEOUTS = { connectionTimeout: 1000, requestTimeout: 10_000, throwOnRequestTimeout: true };

const config = orExit(() => readResourcesConfig(process.env));
const logger = createLogger({ service: 'resources', level: config.LOG_LEVEL });
const { functions, resources, stage } = orExit(() => readStackFile(config.STACK_FILE));
const stagePrefix = stagePrefixOf(stage);
const sqs = createSqsClient();
const dynamoDb = new DynamoDBClient({ requestHandler: TIMEOUTS });
const keeper = new Keeper({ resources, stagePrefix, clients: { sqs, dynamoDb }, logger });

const { FUNCTIONS_TOKEN_FILE: tokenFile } = config;
const sources = eventSourcesOf(functions, resources, stage);
orExit(() => {
  try {
    writeFileSync(config.EVENT_SOURCES_FILE, JSON.stringify(sources));
  } catch (cause) {
    throw new ConfigError(`EVENT_SOURCES_FILE cannot be written: ${(cause as Error).message}`, { cause });
  }
});

if (tokenFile !== undefined) orExit(() => writeFunctionsToken(tokenFile));

if (process.argv.includes('--once')) {
  await keeper.once(ONCE_SECONDS).catch((error: Error) => {
    logger.fatal({ error }, `queues and tables are missing after ${ONCE_SECONDS} s: ${error.message}`);
    process.exit(1);
  });
} else {
  const { HOST: host, PORT: port } = config;
  await runServers([serveProcessHealth({ ready: () => keeper.ready(), host, port, logger })], {
    drainTimeoutSeconds: DRAIN_SECONDS,
    logger,
  });
  await keeper.keep();
}
