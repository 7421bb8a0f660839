import { runService } from 'baton-tasks/service';
import { recordSample } from '../contracts/samples.ts';
import { handler } from './api.ts';
import { records } from './handlers.ts';
import { samples, service } from './service.ts';

const { tasks, taskStore } = service;

await runService(service, {
  handler,
  functions: { records },
  ready: {
    table: () => samples.ping(),
    tasks: () => taskStore.ping(),
    queue: () => tasks.ping(recordSample),
  },
});
