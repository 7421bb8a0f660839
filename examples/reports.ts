import { setTimeout as sleep } from 'node:timers/promises';
import { defineTask, implement, type TaskEnd, taskEndSchema } from 'baton-tasks';
import { Implementations } from 'baton-tasks/tooling';
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

/** Say a count of words as people do. */
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

/** The first end that was heard of. */
export const heard = Promise.withResolvers<TaskEnd>();

const bills = new Map<string, number>();

/** Whoever bills: asked twice under one key, it bills once. */
async function bill(key: string, words: number): Promise<number> {
  bills.set(key, words);
  return bills.size;
}

const countWordsTask = implement(countWords, async ({ text }, { progress, effect, signal }) => {
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

/** What the example's worker runs. */
export const reportTasks = new Implementations([
  countWordsTask,
  sayCountTask,
  addUpTask,
  writeNightlyTask,
  hearOfEndTask,
]);
