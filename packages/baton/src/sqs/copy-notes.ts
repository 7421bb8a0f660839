import { MAX_VISIBILITY_SECONDS, type Outcome } from '../task/outcome.ts';
import { MAX_DELAY_SECONDS, MAX_MESSAGE_BYTES } from './queue-sender.ts';
import { ageMs, type ReceivedMessage } from './received-message.ts';

/** What the notes of a copy take of a message's size, at most. */
const NOTES_BYTES = 1000;
/** How often processes that did not know a message's task have put it back. */
export const UNKNOWN_TIMES = 'baton.unknown-times';
/** The claims on a tracked task that were given up, with spaces between: see `unconcluded`. */
export const UNCONCLUDED = 'baton.unconcluded';
/** SQS's ids are UUIDs; other brokers have others. */
const MESSAGE_ID = /^[\w-]{1,100}$/;
/** As `toISOString` writes it. */
const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
/** When a message counts as sent, in milliseconds since 1970; 0 for before every end of its task. See `putBackBy`. */
export const SENT_AT = 'baton.sent-at';
/** Of the copy of a dead letter that was put back: the end that it was the dead letter of, ISO 8601. */
export const DEAD_AT = 'baton.dead-at';
/** How many attempts had been used up when the first message of a copy's chain was sent. See `givenBack`. */
const EARLIER_ATTEMPTS = 'baton.earlier-attempts';
/** The id of the first message of a copy's chain: the log of receives knows the whole chain by it. */
const FIRST_ID = 'baton.first-id';
/** How often the messages of a copy's chain were received before it, without the receives that they were given back at. */
const EARLIER_RECEIVES = 'baton.earlier-receives';
/** When SQS took the first of the messages that a copy continues, ISO 8601. */
export const FIRST_SENT = 'baton.first-sent-at';
/** Before when a copy must not be run, because SQS delays a message by 15 minutes at most, ISO 8601. */
const NOT_BEFORE = 'baton.not-before';
/** What the copy of a message may note, as attributes, of the message that it continues. */
const NOTES: ReadonlySet<string> = new Set([
  EARLIER_ATTEMPTS,
  FIRST_ID,
  EARLIER_RECEIVES,
  UNKNOWN_TIMES,
  UNCONCLUDED,
  SENT_AT,
  DEAD_AT,
  FIRST_SENT,
  NOT_BEFORE,
]);
/** What a task that is put back needs of them: which end it was the dead letter of, and which claim nobody holds any more. */
const KEPT_WHEN_PUT_BACK: ReadonlySet<string> = new Set([DEAD_AT, UNCONCLUDED]);
/** What a message's receives and attempts are counted by. */
const COUNTS: ReadonlySet<string> = new Set([EARLIER_ATTEMPTS, FIRST_ID, EARLIER_RECEIVES]);

/**
 * The number of the attempt that is made with a message, counted from 1, as far as SQS knows it: each receive counts, and
 * so does each attempt that was used up before its chain began.
 */
export function attemptOf(message: ReceivedMessage): number {
  return receiveOf(message) + attemptsBefore(message);
}

/** The number of this receive in the message's chain of copies, counted from 1. A receive at which one was given back does not count. */
export function receiveOf({ receiveCount, attributes }: ReceivedMessage): number {
  return receiveCount + countNoted(attributes[EARLIER_RECEIVES]?.StringValue);
}

/** How many attempts were used up before the message's chain began. */
export function attemptsBefore({ attributes }: ReceivedMessage): number {
  return countNoted(attributes[EARLIER_ATTEMPTS]?.StringValue);
}

/** The id of the first message of a message's chain; its own if it is no copy. */
export function firstIdOf({ messageId, attributes }: ReceivedMessage): string {
  const noted = attributes[FIRST_ID]?.StringValue;
  return noted !== undefined && MESSAGE_ID.test(noted) ? noted : messageId;
}

/** A count that a note holds; 0 for none, and for what is no count. */
export function countNoted(note: string | undefined): number {
  return note !== undefined && /^\d{1,6}$/.test(note) ? Number(note) : 0;
}

/** A time that a note holds, in milliseconds since 1970; NaN for none, and for what is no time as Baton writes it. */
function timeNoted(note: string | undefined): number {
  return note !== undefined && ISO_TIME.test(note) ? Date.parse(note) : NaN;
}

/** How long ago SQS took a message, or the first of those that it continues, in milliseconds. @param now - SQS's time */
export function ageOfFirstMs(message: ReceivedMessage, now?: () => number): number {
  const firstMs = timeNoted(message.attributes[FIRST_SENT]?.StringValue);
  return ageMs(
    Number.isNaN(firstMs) ? message : { ...message, sentAtMs: Math.min(firstMs, message.sentAtMs) },
    now,
  );
}

/**
 * How long a copy must still wait, in seconds; 0 for a message that may run. A rest that is longer than Baton's longest was
 * not noted by Baton, and is none.
 *
 * @param now - SQS's time
 */
export function waitsSeconds({ attributes }: ReceivedMessage, now: () => number = Date.now): number {
  const notBefore = attributes[NOT_BEFORE]?.StringValue;
  // Of most messages: they cost no look at the clock
  if (notBefore === undefined) return 0;
  const leftMs = timeNoted(notBefore) - now();
  return leftMs > 0 && leftMs <= MAX_VISIBILITY_SECONDS * 1000 ? Math.ceil(leftMs / 1000) : 0;
}

/** An outcome after which a message goes on. */
type GoingOn = Extract<Outcome, { kind: 'retry' | 'release' }>;

/**
 * The same outcome by a copy of the message. A new chain begins with the copy: its receives are counted from 1, and nothing
 * is known of crashes. A message that carries attributes of its sender goes on as it is, because a copy would lose them.
 *
 * @param attempts - how many attempts were used up
 */
export function continuing<Kind extends GoingOn>(
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
  return { ...outcome, asCopy: true, notes };
}

/**
 * The same outcome by a copy of the message that takes its place in its chain: the next receive counts in the place of this
 * one, and the log of receives knows the copy by what it knows of the message. A message that carries attributes of its
 * sender goes on as it is.
 */
export function givenBack<Kind extends GoingOn>(outcome: Kind, message: ReceivedMessage): Kind {
  return canBeCopied(message)
    ? { ...outcome, asCopy: true, notes: notesWithoutThisReceive(message) }
    : outcome;
}

/** The notes of a copy that takes its message's place, in which this receive of the message does not count. */
export function notesWithoutThisReceive(message: ReceivedMessage): Record<string, string> {
  const [attempts, receives] = [attemptsBefore(message), receiveOf(message) - 1];
  return {
    ...notesOf(message),
    ...(attempts > 0 && { [EARLIER_ATTEMPTS]: String(attempts) }),
    ...(receives > 0 && { [EARLIER_RECEIVES]: String(receives) }),
    [FIRST_ID]: firstIdOf(message),
  };
}

/** What a message notes of those that it continues, and when the first of them was sent. @param names - default: all but counts */
export function notesOf(
  { attributes, sentAtMs }: ReceivedMessage,
  names: readonly string[] = [...NOTES],
): Record<string, string> {
  const notes: Record<string, string> = { [FIRST_SENT]: new Date(sentAtMs).toISOString() };
  for (const name of names) {
    const text = COUNTS.has(name) ? undefined : attributes[name]?.StringValue;
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

/**
 * The attributes that a dead letter is put back with. A letter that SQS itself moved may be a copy and carry its notes:
 * put back with its counts, age and rest, it would be given up at once.
 */
export function attributesPutBack(attributes: ReceivedMessage['attributes']): ReceivedMessage['attributes'] {
  return Object.fromEntries(
    Object.entries(attributes).filter(([name]) => !NOTES.has(name) || KEPT_WHEN_PUT_BACK.has(name)),
  );
}

/**
 * The same release by a copy of the message, which says that these claims have been given up: their worker lives, but
 * the task store did not answer it. One of them may stand in the task's row. The next delivery takes it over at once, as
 * what it is: neither a crash nor an attempt.
 */
export function unconcluded(
  release: Extract<Outcome, { kind: 'release' }>,
  claimIds: readonly string[],
): Outcome {
  return { ...release, asCopy: true, notes: { ...release.notes, [UNCONCLUDED]: claimIds.join(' ') } };
}

/** The claims that were given up before a message was sent again. */
export function claimsGivenUp({ attributes }: ReceivedMessage): readonly string[] {
  const text = attributes[UNCONCLUDED]?.StringValue ?? '';
  return text === '' ? [] : text.split(' ');
}
