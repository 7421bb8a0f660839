import * as z from 'zod';
import { defineTask, implement, PostponeTask, RejectTask, RetryTask, taskEndSchema } from './library.ts';
import type { TrackedTaskContext } from './library.ts';

const payload = z.object({ text: z.string() });
const result = z.object({ length: z.int() });
const retry = { maxAttempts: 3, baseSeconds: 8, capSeconds: 3600 };
const usual = { queue: 'jobs', retry, timeoutSeconds: 1 };

/** An untracked task. */
export const plain = defineTask({ ...usual, name: 'recorded.plain', payload, result });

/** An untracked task in lanes, in its second version. */
export const laned = defineTask({
  ...usual,
  name: 'recorded.laned',
  version: 2,
  lanes: { high: 3, normal: 1 },
  defaultLane: 'normal',
  payload,
  result,
});

/** A listener to the ends of other tasks. */
export const listener = defineTask({
  ...usual,
  name: 'recorded.listener',
  payload: taskEndSchema,
  result: z.void(),
});

/** A tracked task. */
export const tracked = defineTask({
  ...usual,
  name: 'recorded.tracked',
  tracked: true,
  onEnd: listener,
  payload,
  result,
});

/** A tracked task in lanes that takes the result of `tracked`, and returns nothing. */
export const second = defineTask({
  ...usual,
  name: 'recorded.second',
  tracked: true,
  lanes: { high: 3, normal: 1 },
  defaultLane: 'normal',
  payload: result,
  result: z.undefined(),
});

/** A tracked task that takes the results of a group of `tracked` and `second`. */
export const joining = defineTask({
  ...usual,
  name: 'recorded.joining',
  tracked: true,
  payload: z.array(result.optional()),
  result: z.object({ count: z.int() }),
});

/** A task with a schedule: it runs every night. */
export const nightly = defineTask({
  ...usual,
  name: 'recorded.nightly',
  tracked: true,
  schedule: { cron: '0 3 * * *', timeZone: 'UTC' },
  payload: z.object({}),
  result: z.void(),
});

/** The ways in which a handler may act in an attempt. */
export type Deed =
  | 'succeeds'
  | 'fails'
  | 'asks for a retry'
  | 'postpones'
  | 'rejects'
  | 'hangs'
  | 'charges'
  | 'loses an effect'
  | 'keeps too much';

/** The input of a handler, as far as it can be recorded. */
export interface Seen {
  readonly task: string;
  readonly payload: unknown;
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly token?: number;
}

/** The implementations of all tasks. `deedOf` tells their handlers how to act. */
export function implementations(deedOf: () => Deed, onBegin: (seen: Seen) => void) {
  const handlerOf =
    (task: string, give: (value: never) => unknown) =>
    async (value: unknown, context: TrackedTaskContext): Promise<never> => {
      const { attempt, maxAttempts, token } = context;
      onBegin({ task, payload: value, attempt, maxAttempts, ...(token !== undefined && { token }) });
      await act(deedOf(), context);
      return give(value as never) as never;
    };
  const length = ({ text }: { readonly text: string }) => ({ length: text.length });
  return [
    implement(plain, handlerOf(plain.name, length) as never),
    implement(laned, handlerOf(laned.name, length) as never),
    implement(listener, handlerOf(listener.name, () => undefined) as never),
    implement(tracked, handlerOf(tracked.name, length)),
    implement(
      second,
      handlerOf(second.name, () => undefined),
    ),
    implement(
      joining,
      handlerOf(joining.name, (results: unknown[]) => ({ count: results.length })),
    ),
    implement(
      nightly,
      handlerOf(nightly.name, () => undefined),
    ),
  ];
}

/** The error messages of handlers. They reach dead letters and rows unchanged. */
const WORDS = {
  fails: 'The card office does not answer',
  'asks for a retry': 'Too many requests',
  postpones: 'The mail server is away',
  rejects: 'The card is stolen',
  charges: 'The connection broke',
  'loses an effect': 'No answer from the bank',
};
/** All these messages. */
export const HANDLERS_WORDS: readonly string[] = Object.values(WORDS);

async function act(deed: Deed, { signal, effect, progress }: TrackedTaskContext): Promise<void> {
  switch (deed) {
    case 'succeeds':
      return;
    case 'fails':
      throw new Error(WORDS.fails);
    case 'asks for a retry':
      throw new RetryTask(WORDS['asks for a retry'], { retryAfter: '90' });
    case 'postpones':
      throw new PostponeTask(WORDS.postpones, { delaySeconds: 1200 });
    case 'rejects':
      throw new RejectTask(WORDS.rejects);
    case 'hangs':
      return new Promise((_, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason as Error)),
      );
    case 'charges': {
      progress({ fraction: 0.5, message: 'half of it' });
      await effect('charge', () => ({ receipt: 'r-1', amounts: [1, 2] }));
      await effect('mail', () => 'sent', { inDoubt: () => undefined });
      await effect('note', () => undefined);
      throw new Error(WORDS.charges);
    }
    case 'loses an effect': {
      const run = () => Promise.reject(new Error(WORDS['loses an effect']));
      // Finds the result of an earlier attempt whose failure is not known
      const inDoubt = (key: string) => ({ result: { found: key } });
      await effect('transfer', run, { inDoubt });
      return;
    }
    case 'keeps too much':
      await effect('scan', () => 'x'.repeat(5000));
      return;
  }
}
