// The notes, as message attributes, with which a copy continues a message: counts, ids, times.
import { MAX_VISIBILITY_SECONDS, type Outcome } from '../task/outcome.ts';
import { MAX_DELAY_SECONDS, MAX_MESSAGE_BYTES } from './queue-sender.ts';
import { ageMs, type ReceivedMessage } from './received-message.ts';

/** The most bytes that the notes of a copy add to a message. */
const NOTES_BYTES = 1000;
/** How many times processes that did not know a message's task have put it back. */
export const UNKNOWN_TIMES = 'baton.unknown-times';
/** The claims on a tracked task that were given up, separated by spaces: see `unconcluded`. */
export const UNCONCLUDED = 'baton.unconcluded';
/** SQS's ids are UUIDs. Other brokers use other ids. */
const MESSAGE_ID = /^[\w-]{1,100}$/;
/** A time as `toISOString` writes it. */
const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
/** When a message counts as sent, in milliseconds since 1970. 0 means before every end of its task. See `putBackBy`. */
export const SENT_AT = 'baton.sent-at';
/** On a copy of a dead letter that was put back: when the task ended, ISO 8601. */
export const DEAD_AT = 'baton.dead-at';
/** How many attempts were used up when the first message of a copy's chain was sent. See `givenBack`. */
const EARLIER_ATTEMPTS = 'baton.earlier-attempts';
/** The id of the first message of a copy's chain. It is the chain's key in the log of receives. */
const FIRST_ID = 'baton.first-id';
/** How many times the earlier messages of a copy's chain were received, without receives that gave them back. */
const EARLIER_RECEIVES = 'baton.earlier-receives';
/** When SQS took the first message of a copy's chain, ISO 8601. */
export const FIRST_SENT = 'baton.first-sent-at';
/** The earliest time at which a copy may run, ISO 8601. Needed because SQS delays a message by at most 15 minutes. */
const NOT_BEFORE = 'baton.not-before';
/** The attributes of a copy that describe the message that it continues. */
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
/** The notes that a task which is put back needs: when it ended, and which claim nobody holds any more. */
const KEPT_WHEN_PUT_BACK: ReadonlySet<string> = new Set([DEAD_AT, UNCONCLUDED]);
/** The notes that count a message's receives and attempts. */
const COUNTS: ReadonlySet<string> = new Set([EARLIER_ATTEMPTS, FIRST_ID, EARLIER_RECEIVES]);

/**
 * The number of a message's attempt, counted from 1, as far as SQS knows it: the receives of its chain, and the attempts
 * that were used up before the chain began.
 */
export function attemptOf(message: ReceivedMessage): number {
  return receiveOf(message) + attemptsBefore(message);
}

/** The number of this receive in the message's chain of copies, counted from 1. Receives that gave a message back do not count. */
export function receiveOf({ receiveCount, attributes }: ReceivedMessage): number {
  return receiveCount + countNoted(attributes[EARLIER_RECEIVES]?.StringValue);
}

/** How many attempts were used up before the message's chain began. */
export function attemptsBefore({ attributes }: ReceivedMessage): number {
  return countNoted(attributes[EARLIER_ATTEMPTS]?.StringValue);
}

/** The id of the first message of a message's chain. Its own id if it is no copy. */
export function firstIdOf({ messageId, attributes }: ReceivedMessage): string {
  const noted = attributes[FIRST_ID]?.StringValue;
  return noted !== undefined && MESSAGE_ID.test(noted) ? noted : messageId;
}

/** The count in a note. 0 if there is no note, or no count in it. */
export function countNoted(note: string | undefined): number {
  return note !== undefined && /^\d{1,6}$/.test(note) ? Number(note) : 0;
}

/** The time in a note, in milliseconds since 1970. NaN if there is no note, or no time in the form that Baton writes. */
function timeNoted(note: string | undefined): number {
  return note !== undefined && ISO_TIME.test(note) ? Date.parse(note) : NaN;
}

/** How long ago SQS took the first message of a message's chain, in milliseconds. @param now - SQS's time */
export function ageOfFirstMs(message: ReceivedMessage, now?: () => number): number {
  const firstMs = timeNoted(message.attributes[FIRST_SENT]?.StringValue);
  return ageMs(
    Number.isNaN(firstMs) ? message : { ...message, sentAtMs: Math.min(firstMs, message.sentAtMs) },
    now,
  );
}

/**
 * How long a copy must still wait, in seconds. 0 if the message may run. Ignores a rest that is longer than Baton's longest,
 * because Baton did not note it.
 *
 * @param now - SQS's time
 */
export function waitsSeconds({ attributes }: ReceivedMessage, now: () => number = Date.now): number {
  const notBefore = attributes[NOT_BEFORE]?.StringValue;
  // Most messages have none. They must not cost a look at the clock
  if (notBefore === undefined) return 0;
  const leftMs = timeNoted(notBefore) - now();
  return leftMs > 0 && leftMs <= MAX_VISIBILITY_SECONDS * 1000 ? Math.ceil(leftMs / 1000) : 0;
}

/** An outcome after which a message comes back. */
type GoingOn = Extract<Outcome, { kind: 'retry' | 'release' }>;

/**
 * Makes an outcome continue in a copy of the message that begins a new chain: its receives are counted from 1, and no
 * crashes are known. Returns the outcome unchanged if the message carries attributes of its sender, which a copy would lose.
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
 * Makes an outcome continue in a copy that takes the message's place in its chain: the next receive replaces this one, and
 * the log of receives knows the copy. Returns the outcome unchanged if the message carries attributes of its sender.
 */
export function givenBack<Kind extends GoingOn>(outcome: Kind, message: ReceivedMessage): Kind {
  return canBeCopied(message)
    ? { ...outcome, asCopy: true, notes: notesWithoutThisReceive(message) }
    : outcome;
}

/** The notes of a copy that takes its message's place. This receive of the message does not count in them. */
export function notesWithoutThisReceive(message: ReceivedMessage): Record<string, string> {
  const [attempts, receives] = [attemptsBefore(message), receiveOf(message) - 1];
  return {
    ...notesOf(message),
    ...(attempts > 0 && { [EARLIER_ATTEMPTS]: String(attempts) }),
    ...(receives > 0 && { [EARLIER_RECEIVES]: String(receives) }),
    [FIRST_ID]: firstIdOf(message),
  };
}

/** The notes that a copy of a message takes over, and when the chain was first sent. @param names - default: all except counts */
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

/** Whether a copy would carry everything: the message has only notes as attributes, and its body leaves room for them. */
export function canBeCopied({ body, attributes }: ReceivedMessage): boolean {
  const fits = Buffer.byteLength(body) <= MAX_MESSAGE_BYTES - NOTES_BYTES;
  return fits && Object.keys(attributes).every((name) => NOTES.has(name));
}

/** The attributes of a message without its notes, which mean nothing without it. */
export function withoutNotes(attributes: ReceivedMessage['attributes']): ReceivedMessage['attributes'] {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => !NOTES.has(name)));
}

/**
 * The attributes that a dead letter is put back with. A dead letter that SQS itself moved may be a copy with notes. With
 * its old counts, age and rest it would be given up at once.
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
