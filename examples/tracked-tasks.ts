// Tracked tasks: npm run demo:tasks runs this on an SQS and a task store of its own
import { setTimeout as sleep } from 'node:timers/promises';
import { chain, group, member, nextTick } from 'baton-tasks';
import { createTaskClient } from 'baton-tasks/service';
import { runWorker } from 'baton-tasks/worker';
import { addUp, countWords, heard, hearOfEnd, reportTasks, sayCount, writeNightly } from './reports.ts';

await runWorker({ implementations: reportTasks });
const { QUEUE_URL_PREFIX = '', TASKS_TABLE } = process.env;
const tasks = createTaskClient({ source: 'shop', queueUrlPrefix: QUEUE_URL_PREFIX, tasksTable: TASKS_TABLE });

// Send it. The same key is the same task, so it is sent once.
const text = 'a baton is handed over';
const counting = await tasks.send(countWords, { text }, { deduplicationKey: 'text-1' });
await tasks.send(countWords, { text }, { deduplicationKey: 'text-1' });

// Follow it
while (!(await counting.status())?.progress) await sleep(20);
const { state, attempts, progress } = (await counting.status()) ?? {};
console.log(state, attempts, progress?.message);

// Wait for its result, whose type is the contract's
const { words } = await counting.result({ timeoutSeconds: 10 });
console.log(`${words} words`);

// Delay it for a day, and cancel it: it never runs
const late = await tasks.send(countWords, { text }, { notBefore: new Date(Date.now() + 86_400_000) });
console.log((await late.cancel())?.state);

// Have another task told how it ends, in whatever way
const watched = await tasks.send(countWords, { text }, { subject: 'text-1', onEnd: hearOfEnd });
await watched.cancel();
const end = await heard.promise;
console.log(end.subject, end.state);

// Run tasks one after the other: each step takes the result of the one before
const said = await tasks.start(chain([countWords, sayCount]), { text: 'one two three' });
console.log((await said.result()).said);

// Run tasks side by side, and then one that takes all their results
const counts = [member(countWords, { text: 'one two' }), member(countWords, { text: 'three' })];
const sum = await tasks.start(group(counts, addUp));
console.log((await sum.result()).words);

// Run a task every night at three, as its contract says
if (writeNightly.schedule)
  console.log(nextTick(writeNightly.schedule, new Date('2026-11-24'))?.toISOString());
