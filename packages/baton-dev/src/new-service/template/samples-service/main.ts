import { orExit } from 'baton-tasks/internal/process/config';
import { runServer } from 'baton-tasks/internal/http/run-server';
import { recordSample } from '../contracts/samples.ts';
import { handler } from './api.ts';
import { readServerConfig } from './config.ts';
import { records } from './handlers.ts';
import { logger, samples, tasks, taskStore } from './service.ts';

const server = orExit(() => readServerConfig(process.env));

await runServer({
  ...server,
  handler,
  ready: () => Promise.all([samples.ping(), taskStore.ping(), tasks.ping(recordSample)]),
  functions: { records },
  logger,
});
