import { DEAD_AT, SENT_AT } from './copy-notes.ts';
import type { Envelope } from './envelope.ts';
import type { Notes } from '../task/outcome.ts';
import type { ReceivedMessage } from './received-message.ts';
import { SCHEDULER_SOURCE } from '../task/schedule.ts';

/** What a dead letter says of itself, as JSON: see `deadLetterEntry`. */
const DETAILS = 'baton.details';
/** Before every end. */
const NEVER_LATE = '0';

/**
 * What a client sends tracked tasks with: they count as sent before any end. A send that is repeated, because its answer
 * was lost, makes a second message, which may come after the task has ended and must not begin it anew.
 */
export const FIRST_MESSAGE: Notes = { [SENT_AT]: NEVER_LATE };

/** By what a message may put a task back that is dead or has failed. */
export interface PutBack {
  /** The end that it is the dead letter of, ISO 8601. */
  readonly deadAt?: string | undefined;
  /**
   * When it counts as sent, in milliseconds since 1970: somebody has sent the body alone, if that is after the end. Left
   * out for one that counts as sent before every end.
   */
  readonly sentAtMs?: number | undefined;
}

/**
 * By what a message may put its task back. A dead letter that comes back with its attributes names the end that it was set
 * aside at. A body alone says nothing, and counts as put back if SQS took it after the task's end: everything that Baton
 * sends itself says that it counts as sent before. EventBridge Scheduler cannot say so, and may be late: its ticks are put
 * back with their attributes only.
 */
export function putBackBy({ attributes, sentAtMs }: ReceivedMessage, { source }: Envelope): PutBack {
  const noted = attributes[SENT_AT]?.StringValue;
  if (noted !== undefined) return { deadAt: deadAt(attributes), sentAtMs: timeIn(noted) };
  return { deadAt: deadAt(attributes), sentAtMs: source === SCHEDULER_SOURCE ? undefined : sentAtMs };
}

function timeIn(text: string): number | undefined {
  return text !== NEVER_LATE && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** What a copy of a message is sent with: it puts back what the message would, and nothing that has ended since. */
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
