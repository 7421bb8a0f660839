import { setTimeout as sleep } from 'node:timers/promises';
import { defineTask, implement, RejectTask, RetryTask, type TaskEnd, taskEndSchema } from 'baton-tasks';
import * as z from 'zod';

const common = { queue: 'default', retry: { maxAttempts: 5, baseSeconds: 1 }, timeoutSeconds: 60 } as const;

/** Count the words of a text, and bill them. */
export const countWords = defineTask({
  ...common,
  name: 'reports.count-words',
  payload: z.object({ text: z.string() }),
  result: z.object({ words: z.int() }),
  tracked: true,
});

/** Say a count of words in a sentence. */
export const sayCount = defineTask({
  ...common,
  name: 'reports.say-count',
  payload: countWords.result,
  result: z.object({ said: z.string() }),
  tracked: true,
});

/** Add counts of words up. */
export const addUp = defineTask({
  ...common,
  name: 'reports.add-up',
  payload: z.array(countWords.result),
  result: z.object({ words: z.int() }),
  tracked: true,
});

/** Write the report of the day. */
export const writeNightly = defineTask({
  ...common,
  name: 'reports.write-nightly',
  payload: z.object({}),
  result: z.object({ writtenAt: z.iso.datetime() }),
  tracked: true,
  schedule: { cron: '0 3 * * *', timeZone: 'Europe/Zurich' },
});

/** Hear how a task ended. */
export const hearOfEnd = defineTask({
  ...common,
  name: 'reports.hear-of-end',
  payload: taskEndSchema,
  result: z.object({}),
});

/** Print a report. Some cannot wait behind others, so the queue has lanes. */
export const printReport = defineTask({
  ...common,
  name: 'reports.print',
  queue: 'printing',
  lanes: { high: 8, normal: 3, low: 1 },
  defaultLane: 'normal',
  payload: z.object({ text: z.string() }),
  result: z.object({ pages: z.int() }),
});

/** Read a report from a server that may be busy. */
export const readReport = defineTask({
  ...common,
  name: 'reports.read',
  payload: z.object({ url: z.url() }),
  result: z.object({ text: z.string() }),
});

/** The first end that `hearOfEnd` was told. */
export const heard = Promise.withResolvers<TaskEnd>();

const bills = new Map<string, number>();

/** Stands for the outside system that bills. Asked twice with one key, it bills once. */
async function bill(key: string, words: number): Promise<number> {
  bills.set(key, words);
  return bills.size;
}

/** Counts the words of a text, and bills them. */
export const countWordsTask = implement(countWords, async ({ text }, { progress, effect, signal }) => {
  const words = text.split(' ');
  for (const [index, word] of words.entries()) {
    await sleep(100, undefined, { signal });
    progress({ fraction: (index + 1) / words.length, message: `counted "${word}"` });
  }
  await effect('bill', (idempotencyKey) => bill(idempotencyKey, words.length));
  return { words: words.length };
});

const sayCountTask = implement(sayCount, ({ words }) => ({ said: `${words} words` }));

const addUpTask = implement(addUp, (counts) => ({
  words: counts.reduce((sum, { words }) => sum + words, 0),
}));

const writeNightlyTask = implement(writeNightly, () => ({ writtenAt: new Date().toISOString() }));

const hearOfEndTask = implement(hearOfEnd, (end) => {
  heard.resolve(end);
  return {};
});

/** Reads a report from a server that may be busy. */
export const readReportTask = implement(readReport, async ({ url }, { signal }) => {
  const response = await fetch(url, { signal });
  if (response.status === 429) {
    throw new RetryTask('Too many requests', { retryAfter: response.headers.get('retry-after') });
  }
  if (response.status === 404) throw new RejectTask(`There is no report at ${url}`);
  return { text: await response.text() };
});

/** The implementations of the example's worker. */
export const reportTasks = [
  countWordsTask,
  sayCountTask,
  addUpTask,
  writeNightlyTask,
  hearOfEndTask,
  readReportTask,
];
