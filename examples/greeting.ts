import { defineTask, implement } from 'baton-tasks';
import { createTaskClient } from 'baton-tasks/service';
import { runWorker } from 'baton-tasks/worker';
import * as z from 'zod';

// What may be asked. Senders and workers import the same contract.
const greet = defineTask({
  name: 'greetings.greet',
  queue: 'default',
  payload: z.object({ name: z.string() }),
  result: z.object({ text: z.string() }),
  retry: { maxAttempts: 5, baseSeconds: 2 },
  timeoutSeconds: 10,
  tracked: true,
});

// What does it, in a worker. Usually that is a process of its own.
const greeter = implement(greet, ({ name }) => ({ text: `Hello, ${name}!` }));
await runWorker({ implementations: [greeter] });

// Who asks for it
const { QUEUE_URL_PREFIX = '', TASKS_TABLE } = process.env;
const tasks = createTaskClient({ source: 'shop', queueUrlPrefix: QUEUE_URL_PREFIX, tasksTable: TASKS_TABLE });
const greeting = await tasks.send(greet, { name: 'Ada' });
console.log((await greeting.result()).text);
