import { orExit } from 'baton-tasks/internal/process/config';
import { runServer } from 'baton-tasks/internal/http/run-server';
import { handler } from './api.ts';
import { readServerConfig } from './config.ts';
import { logger, taskStore } from './service.ts';

const server = orExit(() => readServerConfig(process.env));

await runServer({ ...server, handler, ready: () => taskStore.ping(), logger });
