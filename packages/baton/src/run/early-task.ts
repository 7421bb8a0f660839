import { waitsSeconds } from '../sqs/copy-notes.ts';
import type { Envelope } from '../sqs/envelope.ts';
import { TaskNotDueError } from '../task/errors.ts';
import { OLD_MESSAGE_SECONDS, type Outcome } from '../task/outcome.ts';
import { ageMs, type ReceivedMessage } from '../sqs/received-message.ts';
import type { TaskTracker } from './task-tracker.ts';

/** Whose time decides whether a task is early. */
export interface EarlyTaskClocks {
  /** Keeps the state of tracked tasks, and knows their store's time. */
  readonly tracker?: TaskTracker | undefined;
  /** SQS's time, in milliseconds since 1970. Default: the system's. */
  readonly now?: (() => number) | undefined;
}

/** A task whose time has not come is put back until then, at most as long as SQS hides a message. */
export async function outcomeOfEarly(
  { task, notBefore }: Envelope,
  message: ReceivedMessage,
  { tracker, now = Date.now }: EarlyTaskClocks,
): Promise<Outcome | undefined> {
  if (notBefore === undefined) return undefined;
  // While the store is away its time is unknown; the claim that follows says what becomes of the message
  const nowMs = tracker ? await tracker.now().catch(() => Infinity) : now();
  const leftMs = Date.parse(notBefore) - nowMs;
  if (leftMs <= 0) return undefined;
  const asCopy = ageMs(message, now) > OLD_MESSAGE_SECONDS * 1000;
  const error = new TaskNotDueError(task, notBefore);
  return { kind: 'release', error, delaySeconds: Math.ceil(leftMs / 1000), asCopy };
}

/** An untracked message that rests for longer than SQS delays a copy is put back until its rest is over. */
export function outcomeOfCopyInWait(
  { task }: Envelope,
  message: ReceivedMessage,
  { now = Date.now }: EarlyTaskClocks,
): Outcome | undefined {
  const delaySeconds = waitsSeconds(message, now);
  if (delaySeconds === 0) return undefined;
  const error = new TaskNotDueError(task, new Date(now() + delaySeconds * 1000).toISOString());
  return { kind: 'release', error, delaySeconds };
}
