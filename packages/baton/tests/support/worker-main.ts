// A worker with tasks on two queues, started as in a user's main.ts.
import { runWorker } from 'baton-tasks/worker';
import { lanedNapTask } from './laned-nap.ts';
import { pingTask } from './ping.ts';

await runWorker({ implementations: [pingTask, lanedNapTask] });
