import { orExit } from '@baton/common/config';
import { runServer } from '@baton/common/http/run-server';
import { handler } from './api.ts';
import { readServerConfig } from './config.ts';
import { logger, taskStore } from './service.ts';

const server = orExit(() => readServerConfig(process.env));

await runServer({ ...server, handler, ready: () => taskStore.ping(), logger });
