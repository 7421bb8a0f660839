import type { ReceivedMessage } from './received-message.ts';

/** How often processes that did not know a message's task have put it back. */
export const UNKNOWN_TIMES = 'baton.unknown-times';
/** The claims on a tracked task that were given up, with spaces between: see `unconcluded`. */
export const UNCONCLUDED = 'baton.unconcluded';
/** When a message counts as sent, in milliseconds since 1970; 0 for before every end of its task. See `putBackBy`. */
export const SENT_AT = 'baton.sent-at';
/** Of the copy of a dead letter that was put back: the end that it was the dead letter of, ISO 8601. */
export const DEAD_AT = 'baton.dead-at';
/** How many attempts were made with the messages that a copy continues. */
const EARLIER_ATTEMPTS = 'baton.earlier-attempts';
/** What the copy of a message may note, as attributes, of the message that it continues. */
const NOTES: ReadonlySet<string> = new Set([EARLIER_ATTEMPTS, UNKNOWN_TIMES, UNCONCLUDED, SENT_AT, DEAD_AT]);

/**
 * The number of the attempt that is made with a message, counted from 1: every time that SQS hands it out counts, and so
 * do the attempts that were made with messages which it continues.
 */
export function attemptOf({ receiveCount, attributes }: ReceivedMessage): number {
  return receiveCount + countNoted(attributes[EARLIER_ATTEMPTS]?.StringValue);
}

/** A count that a note holds; 0 for none, and for what is no count. */
export function countNoted(note: string | undefined): number {
  return note !== undefined && /^\d{1,6}$/.test(note) ? Number(note) : 0;
}

/** The notes of a copy that continues a message, in which this receive of the message does not count as an attempt. */
export function notesWithoutThisReceive(message: ReceivedMessage): Record<string, string> {
  const kept = Object.entries(message.attributes).filter(([name]) => NOTES.has(name));
  const notes = Object.fromEntries(kept.map(([name, { StringValue = '' }]) => [name, StringValue]));
  const earlier = attemptOf(message) - 1;
  return earlier > 0 ? { ...notes, [EARLIER_ATTEMPTS]: String(earlier) } : notes;
}

/** Whether notes are all that a message carries beside its body: a copy takes nothing else along. */
export function carriesOnlyNotes({ attributes }: ReceivedMessage): boolean {
  return Object.keys(attributes).every((name) => NOTES.has(name));
}

/** The attributes of a message without its notes, which are over with the message. */
export function withoutNotes(attributes: ReceivedMessage['attributes']): ReceivedMessage['attributes'] {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => !NOTES.has(name)));
}
