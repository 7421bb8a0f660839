import { jest } from '@jest/globals';
import { encodeEnvelope } from '../../sqs/envelope.ts';
import { PostponeTask } from '../../task/errors.ts';
import type { AttemptHost } from '../attempt.ts';
import { implement, Implementations, type TaskContext } from '../../task/implementation.ts';
import type { Outcome } from '../../task/outcome.ts';
import { processMessage } from '../process-message.ts';
import type { ReceivedMessage } from '../../sqs/received-message.ts';
import { defineTask } from '../../task/task.ts';
import type { EarlierReceives, ReceiveLog } from '../receive-log.ts';
import type { TaskTracker } from '../task-tracker.ts';
import { createLogger } from '../../telemetry/logger.ts';
import * as z from 'zod';
import { receivedMessage, testEnvelope, textAttributes } from '../../../tests/support/messages.ts';

const contract = defineTask({
  name: 'tests.work',
  queue: 'default',
  payload: z.object({}),
  result: z.object({}),
  retry: { maxAttempts: 3, baseSeconds: 1 },
  timeoutSeconds: 10,
});
const logger = createLogger({ service: 'tests', level: 'silent' });
/** The envelope of all messages: a task with three attempts. */
export const envelope = testEnvelope({ task: contract.name });
const body = encodeEnvelope(envelope);

/** The entries of the log of receives, by the id of the first message of a series. */
export const rows = new Map<string, EarlierReceives>();
/** A log of receives that keeps its entries in `rows`. */
export const log: ReceiveLog = {
  find: async (messageId) => rows.get(messageId),
  keep: async (messageId, receives) => void rows.set(messageId, receives),
};
/** A log of receives whose task store is away. */
export const away: ReceiveLog = {
  find: () => Promise.reject(new Error('away')),
  keep: () => Promise.reject(new Error('away')),
};
/** Called if a message must run alone. It allows this. */
export const runAlone = jest.fn<NonNullable<AttemptHost['runAlone']>>();
/** The numbers of the attempts that handlers saw, in the order of their starts. */
export const attempts: number[] = [];
/** Ends handlers whose workers died. Called after all tests. */
export const lost: (() => void)[] = [];

/** Forgets all messages. Call it before each test. */
export function forgetMessages(): void {
  rows.clear();
  runAlone.mockReset().mockResolvedValue(true);
  attempts.length = 0;
}

/** Ends the handlers whose workers died. Call it after all tests. */
export function endHandlers(): void {
  for (const end of lost) end();
}

/** A message at its `receiveCount`th receive. */
export function received(receiveCount: number, change: Partial<ReceivedMessage> = {}): ReceivedMessage {
  return receivedMessage({ body, receiveCount, ...change });
}

/** The copy that an outcome sends, at its first receive. */
export function copied(outcome: Outcome, messageId: string): ReceivedMessage {
  if ((outcome.kind !== 'release' && outcome.kind !== 'retry') || !outcome.asCopy)
    throw new Error('The message does not continue in a copy');
  return received(1, { messageId, attributes: textAttributes(outcome.notes ?? {}) });
}

/** The next receive of a message. */
export function nextOf(message: ReceivedMessage): ReceivedMessage {
  return { ...message, receiveCount: message.receiveCount + 1 };
}

interface RunOptions {
  readonly receives?: ReceiveLog;
  readonly everyReceiveIsSeen?: boolean;
  readonly signal?: AbortSignal;
}

/** Processes a message with this handler. */
export function run(
  message: ReceivedMessage,
  handler: () => unknown,
  options: RunOptions = {},
): Promise<Outcome> {
  const { receives = log, everyReceiveIsSeen = true, signal = new AbortController().signal } = options;
  const handle = (_payload: unknown, { attempt }: TaskContext) => {
    attempts.push(attempt);
    return handler() as never;
  };
  const host = { signal, outlivedBy: () => undefined, runAlone };
  return processMessage(message, 'default', host, {
    implementations: new Implementations([implement(contract, handle)]),
    send: (async () => ({ taskId: '' })) as never,
    tracker: { receives } as unknown as TaskTracker,
    logger,
    worker: { id: 'w-1', version: '1' },
    unknownTaskPatienceSeconds: 600,
    abortGraceSeconds: 1,
    everyReceiveIsSeen,
  });
}

/** A handler that returns. */
export const done = () => ({});
/** A handler that throws. */
export const fails = () => {
  throw new Error('no');
};
/** A handler that postpones its task by 7 s. */
export const postpones = () => {
  throw new PostponeTask('not now', { delaySeconds: 7 });
};
/** Lets the worker die while the handler runs, so that there is never an outcome. */
export async function crash(message: ReceivedMessage, options?: RunOptions): Promise<void> {
  const begun = Promise.withResolvers<void>();
  void run(
    message,
    () => {
      begun.resolve();
      return new Promise<object>((resolve) => lost.push(() => resolve({})));
    },
    options,
  );
  await begun.promise;
}
