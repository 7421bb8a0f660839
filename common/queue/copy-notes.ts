import type { Outcome } from './outcome.ts';
import { MAX_DELAY_SECONDS, MAX_MESSAGE_BYTES } from './queue-sender.ts';
import { ageMs, type ReceivedMessage } from './received-message.ts';

/** What the notes of a copy take of a message's size, at most. */
const NOTES_BYTES = 1000;
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
/** When SQS took the first of the messages that a copy continues, ISO 8601. */
export const FIRST_SENT = 'baton.first-sent-at';
/** Before when a copy must not be run, because SQS delays a message by 15 minutes at most, ISO 8601. */
const NOT_BEFORE = 'baton.not-before';
/** What the copy of a message may note, as attributes, of the message that it continues. */
const NOTES: ReadonlySet<string> = new Set([
  EARLIER_ATTEMPTS,
  UNKNOWN_TIMES,
  UNCONCLUDED,
  SENT_AT,
  DEAD_AT,
  FIRST_SENT,
  NOT_BEFORE,
]);

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

/** How long ago SQS took a message, or the first of those that it continues, in milliseconds. @param now - SQS's time */
export function ageOfFirstMs(message: ReceivedMessage, now?: () => number): number {
  const firstMs = Date.parse(message.attributes[FIRST_SENT]?.StringValue ?? '');
  return ageMs(
    Number.isNaN(firstMs) ? message : { ...message, sentAtMs: Math.min(firstMs, message.sentAtMs) },
    now,
  );
}

/** How long a copy must still wait, in seconds; 0 for a message that may run. @param now - SQS's time */
export function waitsSeconds({ attributes }: ReceivedMessage, now: () => number = Date.now): number {
  const notBefore = attributes[NOT_BEFORE]?.StringValue;
  const leftMs = notBefore === undefined ? 0 : Date.parse(notBefore) - now();
  return leftMs > 0 ? Math.ceil(leftMs / 1000) : 0;
}

/**
 * The same outcome, of a message that goes on in a copy: SQS counts the receives of that from 1. A message that carries
 * attributes of its sender goes on as it is, because a copy would lose them.
 *
 * @param attempts - how many attempts were used up
 */
export function continuing<Kind extends Extract<Outcome, { kind: 'retry' | 'release' }>>(
  outcome: Kind,
  message: ReceivedMessage,
  attempts: number,
  now: () => number = Date.now,
): Kind {
  if (!canBeCopied(message)) return outcome;
  const { delaySeconds = 0 } = outcome;
  const notBefore = delaySeconds > MAX_DELAY_SECONDS && new Date(now() + delaySeconds * 1000).toISOString();
  const notes = {
    ...notesOf(message),
    ...(attempts > 0 && { [EARLIER_ATTEMPTS]: String(attempts) }),
    ...(notBefore && { [NOT_BEFORE]: notBefore }),
  };
  return { ...outcome, anew: true, notes };
}

/** The notes of a copy that continues a message, in which this receive of the message does not count as an attempt. */
export function notesWithoutThisReceive(message: ReceivedMessage): Record<string, string> {
  const earlier = attemptOf(message) - 1;
  return { ...notesOf(message), ...(earlier > 0 && { [EARLIER_ATTEMPTS]: String(earlier) }) };
}

/** What a message notes of those that it continues, and when the first of them was sent. @param names - default: all notes */
export function notesOf(
  { attributes, sentAtMs }: ReceivedMessage,
  names: readonly string[] = [...NOTES],
): Record<string, string> {
  const notes: Record<string, string> = { [FIRST_SENT]: new Date(sentAtMs).toISOString() };
  for (const name of names) {
    const text = name === EARLIER_ATTEMPTS ? undefined : attributes[name]?.StringValue;
    if (text !== undefined) notes[name] = text;
  }
  return notes;
}

/** Whether a copy takes along all that a message carries: no attributes but notes, and a body that leaves room for them. */
export function canBeCopied({ body, attributes }: ReceivedMessage): boolean {
  const fits = Buffer.byteLength(body) <= MAX_MESSAGE_BYTES - NOTES_BYTES;
  return fits && Object.keys(attributes).every((name) => NOTES.has(name));
}

/** The attributes of a message without its notes, which are over with the message. */
export function withoutNotes(attributes: ReceivedMessage['attributes']): ReceivedMessage['attributes'] {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => !NOTES.has(name)));
}
