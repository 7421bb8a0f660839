// Putting back: a message that lets a dead or failed task start again.
import { DEAD_AT, PUT_BACK_BY, SENT_AT, UNCONCLUDED, withoutNotes } from './copy-notes.ts';
import { deadLetterEnd } from './dead-letter.ts';
import type { Envelope } from './envelope.ts';
import type { Notes } from '../task/outcome.ts';
import type { ReceivedMessage } from './received-message.ts';
import { SCHEDULER_SOURCE } from '../task/schedule.ts';

/** The value of `SENT_AT` that means before every end. */
const BEFORE_EVERY_END = '0';
/** A name of someone who puts back. A copy's notes have little room. */
const BY = /^[\x20-\x7E]{1,100}$/;
/** The notes that a dead letter keeps when it is put back. */
const KEPT: ReadonlySet<string> = new Set([DEAD_AT, UNCONCLUDED]);

/**
 * The notes of a tracked task's first message: it counts as sent before every end of the task. A sender whose send timed
 * out may send the task twice. The second message may arrive after the end, and must not start the task again.
 */
export const FIRST_MESSAGE: Notes = { [SENT_AT]: BEFORE_EVERY_END };

/** The ends that a message can put back: a task whose end matches one of the members starts again. */
export interface PutBack {
  /** The time of the end, for a dead letter with its attributes: ISO 8601. */
  readonly deadAt?: string | undefined;
  /** When the message counts as sent, in milliseconds since 1970: later than the end. Undefined: before every end. */
  readonly sentAtMs?: number | undefined;
  /** Who put it back, as the tool says. */
  readonly by?: string | undefined;
}

/**
 * Reads which end of its task a message puts back. A dead letter with its attributes names the end. A body without
 * attributes, as somebody sends by hand, puts back an end before its send: Baton's own messages have `SENT_AT`, so they are
 * not mistaken for it. The ticks of EventBridge Scheduler have no attributes either and may be late. So they are put back
 * only with the attributes of a dead letter.
 */
export function putBackBy({ attributes, sentAtMs }: ReceivedMessage, { source }: Envelope): PutBack {
  const note = attributes[SENT_AT]?.StringValue;
  const end = { deadAt: deadAt(attributes), by: byWhom(attributes) };
  if (note !== undefined) return { ...end, sentAtMs: timeIn(note) };
  return { ...end, sentAtMs: source === SCHEDULER_SOURCE ? undefined : sentAtMs };
}

function timeIn(note: string): number | undefined {
  return note !== BEFORE_EVERY_END && /^\d{1,15}$/.test(note) ? Number(note) : undefined;
}

/** The notes that let a copy put back the same end as its message, and no later one. */
export function putBackNotes({ attributes, sentAtMs }: ReceivedMessage): Notes {
  const at = deadAt(attributes);
  const sentAt = attributes[SENT_AT]?.StringValue ?? String(sentAtMs);
  const by = byWhom(attributes);
  return {
    [SENT_AT]: sentAt,
    ...(at !== undefined && { [DEAD_AT]: at }),
    ...(by !== undefined && { [PUT_BACK_BY]: by }),
  };
}

function byWhom(attributes: ReceivedMessage['attributes']): string | undefined {
  const by = attributes[PUT_BACK_BY]?.StringValue;
  return by !== undefined && BY.test(by) ? by : undefined;
}

function deadAt(attributes: ReceivedMessage['attributes']): string | undefined {
  return deadLetterEnd(attributes) ?? attributes[DEAD_AT]?.StringValue;
}

/**
 * The attributes with which a tool puts a dead letter back. SQS may have moved it to the dead-letter queue with the notes of
 * a copy. They are removed: with its old counts, age and rest the message would become a dead letter again at once.
 *
 * @param by - who puts it back: 1 to 100 printable ASCII characters
 */
export function attributesPutBack(
  attributes: ReceivedMessage['attributes'],
  by?: string,
): ReceivedMessage['attributes'] {
  const kept = withoutNotes(attributes, KEPT);
  return by === undefined ? kept : { ...kept, [PUT_BACK_BY]: { DataType: 'String', StringValue: by } };
}
