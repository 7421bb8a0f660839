// Tells whether a message puts back a task that has ended.
import { DEAD_AT, SENT_AT } from './copy-notes.ts';
import type { Envelope } from './envelope.ts';
import type { Notes } from '../task/outcome.ts';
import type { ReceivedMessage } from './received-message.ts';
import { SCHEDULER_SOURCE } from '../task/schedule.ts';

/** The attribute with a dead letter's details, as JSON: see `deadLetterEntry`. */
const DETAILS = 'baton.details';
/** A time before every end. */
const NEVER_LATE = '0';

/**
 * The notes of a tracked task's first message: it counts as sent before any end of the task. A client that repeats a send
 * whose answer was lost makes a second message. That may arrive after the task has ended, and must not start it again.
 */
export const FIRST_MESSAGE: Notes = { [SENT_AT]: NEVER_LATE };

/** What allows a message to put back a task that is dead or has failed. */
export interface PutBack {
  /** On a dead letter: when its task ended, ISO 8601. */
  readonly deadAt?: string | undefined;
  /**
   * When the message counts as sent, in milliseconds since 1970. If that is after the task's end, somebody has sent the
   * body again. Undefined if it counts as sent before every end.
   */
  readonly sentAtMs?: number | undefined;
}

/**
 * Reads what allows a message to put its task back. A dead letter with its attributes names the end of its task. A body
 * without attributes counts as put back if SQS took it after the task's end, because all messages that Baton sends say
 * that they count as sent before. EventBridge Scheduler cannot say so and may be late, so its ticks can only be put back
 * with their attributes.
 */
export function putBackBy({ attributes, sentAtMs }: ReceivedMessage, { source }: Envelope): PutBack {
  const noted = attributes[SENT_AT]?.StringValue;
  if (noted !== undefined) return { deadAt: deadAt(attributes), sentAtMs: timeIn(noted) };
  return { deadAt: deadAt(attributes), sentAtMs: source === SCHEDULER_SOURCE ? undefined : sentAtMs };
}

function timeIn(text: string): number | undefined {
  return text !== NEVER_LATE && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** The notes of a message's copy: it puts back the same end as the message, and no later one. */
export function notesOfCopy({ attributes, sentAtMs }: ReceivedMessage): Notes {
  const at = deadAt(attributes);
  const sentAt = attributes[SENT_AT]?.StringValue ?? String(sentAtMs);
  return { [SENT_AT]: sentAt, ...(at !== undefined && { [DEAD_AT]: at }) };
}

function deadAt(attributes: ReceivedMessage['attributes']): string | undefined {
  const noted = attributes[DEAD_AT]?.StringValue;
  const details = attributes[DETAILS]?.StringValue;
  if (details === undefined) return noted;
  try {
    const parsed = JSON.parse(details) as { deadAt?: unknown } | null;
    return typeof parsed?.deadAt === 'string' ? parsed.deadAt : noted;
  } catch {
    return noted;
  }
}
