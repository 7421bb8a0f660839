import { setTimeout as sleep } from 'node:timers/promises';
import { chain, group, member } from 'baton-tasks';
import { createLogger } from 'baton-tasks/service';
import { nextTick, readWorkerConfig, TaskClient, TaskStore, Worker } from 'baton-tasks/tooling';
import { startBackends } from '@baton/tests/backends';
import { addUp, countWords, heard, hearOfEnd, reportTasks, sayCount, writeNightly } from './reports.ts';

// A queue, a task store and a worker, all in this process
const backends = await startBackends(['worker']);
Object.assign(process.env, backends.environment);
const config = readWorkerConfig({ ...process.env, WORKER_QUEUES: 'default', WORKER_WAIT_SECONDS: '1' });
const logger = createLogger({ service: 'worker', level: 'warn' });
const worker = new Worker({ config, implementations: reportTasks, logger });
worker.start();
const records = new TaskStore({ documents: backends.documents, table: backends.tasksTable });
const { sqs, queueUrls } = backends;
const tasks = new TaskClient({ sqs, queueUrls, source: 'examples', records });

// Sent, and sent once however often it is asked for: the same key is the same task
const text = 'a baton is handed over';
const counting = await tasks.send(countWords, { text }, { deduplicationKey: 'text-1' });
await tasks.send(countWords, { text }, { deduplicationKey: 'text-1' });

// Followed
while (!(await counting.status())?.progress) await sleep(20);
const { state, attempts, progress } = (await counting.status()) ?? {};
console.log(state, attempts, progress?.message);

// Waited for: the type of the result is the contract's
const { words } = await counting.result({ timeoutSeconds: 10 });
console.log(`${words} words`);

// Put off for a day, and cancelled: it never runs
const late = await tasks.send(countWords, { text }, { notBefore: new Date(Date.now() + 86_400_000) });
console.log((await late.cancel())?.state);

// Another task is told how it ended, whichever way that was
const watched = await tasks.send(countWords, { text }, { subject: 'text-1', onEnd: hearOfEnd });
await watched.cancel();
const end = await heard.promise;
console.log(end.subject, end.state);

// One after the other: each step takes what the one before gives
const said = await tasks.start(chain([countWords, sayCount]), { text: 'one two three' });
console.log((await said.result()).said);

// Side by side, and then one that takes all that they gave
const counts = group([member(countWords, { text: 'one two' }), member(countWords, { text: 'three' })]);
const sum = await tasks.start(counts.then(addUp));
console.log((await sum.result()).words);

// By itself, every night at three: `schedule: { cron: '0 3 * * *', timeZone: 'Europe/Zurich' }` in its contract
if (writeNightly.schedule)
  console.log(nextTick(writeNightly.schedule, new Date('2026-11-24'))?.toISOString());

await worker.stop();
await backends.stop();
