// A worker as a user's main.ts starts one, with tasks on two queues.
import { runWorker } from 'baton-tasks/worker';
import { lanedNapTask } from './laned-nap.ts';
import { pingTask } from './ping.ts';

await runWorker({ implementations: [pingTask, lanedNapTask] });
