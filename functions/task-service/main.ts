import { runService } from 'baton-tasks/service';
import { handler } from './api.ts';
import { service } from './service.ts';

await runService(service, { handler, ready: { tasks: () => service.taskStore.ping() } });
