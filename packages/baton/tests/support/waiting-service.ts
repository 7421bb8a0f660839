// A service that answers some of its requests after long.
import { setTimeout as sleep } from 'node:timers/promises';
import { createApi, route } from 'baton-tasks/http';
import { createService, runService } from 'baton-tasks/service';
import * as z from 'zod';

const WAIT_MS = 25_000;

const service = createService({
  name: 'waiting-service',
  version: '1.0.0',
  port: 8999,
  variables: z.object({}),
});

await runService(service, {
  handler: createApi(service, [
    route('GET', '/waiting/long', {}, async () => ({ status: 200, body: await sleep(WAIT_MS, {}) })),
    route('GET', '/waiting/not', {}, async () => ({ status: 200, body: {} })),
  ]),
  ready: {},
});
