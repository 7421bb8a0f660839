// The notes of copies: message attributes that carry on the counts, ids and times of the messages before a copy.
//
// Baton sends a copy in place of a message, and then deletes the message, because SQS counts receives that were no
// attempts, dead-letters a message without a reason after 30 receives, and deletes it after 7 days. Copies that follow
// each other are a series.
import { MAX_VISIBILITY_SECONDS, type Outcome } from '../task/outcome.ts';
import { MAX_MESSAGE_BYTES } from '../task/task.ts';
import { MAX_DELAY_SECONDS } from './queue-sender.ts';
import { ageMs, type ReceivedMessage } from './received-message.ts';

/** A message with this many receives continues in a copy, because SQS dead-letters it after 30 (`maxReceiveCount`). */
export const MANY_RECEIVES = 20;
/** The most bytes that the notes of a copy add to a message. */
const NOTES_BYTES = 1000;
/** How many processes in a row did not know the message's task, and released it. */
export const UNKNOWN_TIMES = 'baton.unknown-times';
/** The secrets of unconcluded claims on the task, separated by spaces: see `unconcluded`. */
export const UNCONCLUDED = 'baton.unconcluded';
/** The secrets of 50 claims. Most messages name none or one. */
const MAX_UNCONCLUDED_CHARACTERS = 50 * 37;
/** SQS's ids are UUIDs. Other brokers use other ids. */
const MESSAGE_ID = /^[\w-]{1,100}$/;
/** A time as `toISOString` writes it. */
const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
/** When the message counts as sent, in milliseconds since 1970. 0 means before every end of its task. See `putBackBy`. */
export const SENT_AT = 'baton.sent-at';
/** On a copy of a dead letter that was put back: when the task ended, ISO 8601. */
export const DEAD_AT = 'baton.dead-at';
/** On a dead letter that was put back: who did it. */
export const PUT_BACK_BY = 'baton.put-back-by';
/** How many attempts were used up when the series began. See `continuing`. */
const EARLIER_ATTEMPTS = 'baton.earlier-attempts';
/** The id of the first message of the series: the key of its entry in the log of receives. */
const FIRST_ID = 'baton.first-id';
/** How many times the earlier messages of the series were received, without receives that gave them back. */
const EARLIER_RECEIVES = 'baton.earlier-receives';
/** When SQS accepted the first message of the series, ISO 8601. */
export const FIRST_SENT = 'baton.first-sent-at';
/** The earliest time at which the copy may run, ISO 8601. Needed because SQS delays a message by at most 15 minutes. */
const NOT_BEFORE = 'baton.not-before';
/** All notes. */
const NOTES: ReadonlySet<string> = new Set([
  EARLIER_ATTEMPTS,
  FIRST_ID,
  EARLIER_RECEIVES,
  UNKNOWN_TIMES,
  UNCONCLUDED,
  SENT_AT,
  DEAD_AT,
  PUT_BACK_BY,
  FIRST_SENT,
  NOT_BEFORE,
]);
/** The notes that count the receives and attempts of a series. */
const COUNTS: ReadonlySet<string> = new Set([EARLIER_ATTEMPTS, FIRST_ID, EARLIER_RECEIVES]);
const NONE: ReadonlySet<string> = new Set();

/**
 * The number of a message's attempt, counted from 1, by SQS's counts: the receives of its series, and the attempts that
 * were used up before the series began.
 */
export function attemptOf(message: ReceivedMessage): number {
  return receiveOf(message) + attemptsBefore(message);
}

/** The number of this receive in the message's series, counted from 1. Receives that gave a message back do not count. */
export function receiveOf({ receiveCount, attributes }: ReceivedMessage): number {
  return receiveCount + countNoted(attributes[EARLIER_RECEIVES]?.StringValue);
}

/** How many attempts were used up before the message's series began. */
export function attemptsBefore({ attributes }: ReceivedMessage): number {
  return countNoted(attributes[EARLIER_ATTEMPTS]?.StringValue);
}

/** The id of the first message of a message's series. Its own id if it is not a copy. */
export function firstIdOf({ messageId, attributes }: ReceivedMessage): string {
  const noted = attributes[FIRST_ID]?.StringValue;
  return noted !== undefined && MESSAGE_ID.test(noted) ? noted : messageId;
}

/** The count in a note. 0 if there is no note, or it is not a count. */
export function countNoted(note: string | undefined): number {
  return note !== undefined && /^\d{1,6}$/.test(note) ? Number(note) : 0;
}

/** The time in a note, in milliseconds since 1970. NaN if there is no note, or it is not a time as Baton writes it. */
function timeNoted(note: string | undefined): number {
  return note !== undefined && ISO_TIME.test(note) ? Date.parse(note) : NaN;
}

/** How long ago SQS accepted the first message of a message's series, in milliseconds. @param now - SQS's time */
export function ageOfFirstMs(message: ReceivedMessage, now?: () => number): number {
  const firstMs = timeNoted(message.attributes[FIRST_SENT]?.StringValue);
  return ageMs(
    Number.isNaN(firstMs) ? message : { ...message, sentAtMs: Math.min(firstMs, message.sentAtMs) },
    now,
  );
}

/**
 * How long a copy must still wait, in seconds. 0 if the message may run. Ignores a time that is further ahead than Baton's
 * longest rest, because Baton did not write it.
 *
 * @param now - SQS's time
 */
export function waitsSeconds({ attributes }: ReceivedMessage, now: () => number = Date.now): number {
  const notBefore = attributes[NOT_BEFORE]?.StringValue;
  // Most messages have none, so do not read the clock for them
  if (notBefore === undefined) return 0;
  const leftMs = timeNoted(notBefore) - now();
  return leftMs > 0 && leftMs <= MAX_VISIBILITY_SECONDS * 1000 ? Math.ceil(leftMs / 1000) : 0;
}

/** An outcome after which a message comes back. */
type ComingBack = Extract<Outcome, { kind: 'retry' | 'release' }>;

/**
 * Lets a message continue in a copy that begins a new series: its receives count from 1, and no crashes are known. Returns
 * the outcome unchanged if the message has attributes of its sender, which a copy would lose.
 *
 * @param attempts - how many attempts were used up
 */
export function continuing<Kind extends ComingBack>(
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
 * Lets a message continue in a copy of the same series, as if this receive had not happened: the copy's first receive has
 * its number. Returns the outcome unchanged if the message has attributes of its sender.
 */
export function givenBack<Kind extends ComingBack>(outcome: Kind, message: ReceivedMessage): Kind {
  return canBeCopied(message)
    ? { ...outcome, asCopy: true, notes: notesWithoutThisReceive(message) }
    : outcome;
}

/** The notes of a copy in the same series. This receive of the message does not count. */
export function notesWithoutThisReceive(message: ReceivedMessage): Record<string, string> {
  const [attempts, receives] = [attemptsBefore(message), receiveOf(message) - 1];
  return {
    ...notesOf(message),
    ...(attempts > 0 && { [EARLIER_ATTEMPTS]: String(attempts) }),
    ...(receives > 0 && { [EARLIER_RECEIVES]: String(receives) }),
    [FIRST_ID]: firstIdOf(message),
  };
}

/** The notes that a copy takes over from its message, and `FIRST_SENT`. @param names - default: all except counts */
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

/** Whether a copy would lose nothing: the message has no attributes except notes, and notes fit beside its body. */
export function canBeCopied({ body, attributes }: ReceivedMessage): boolean {
  const fits = Buffer.byteLength(body) <= MAX_MESSAGE_BYTES - NOTES_BYTES;
  return fits && Object.keys(attributes).every((name) => NOTES.has(name));
}

/** The attributes of a message without its notes. @param kept - notes to keep. Default: none */
export function withoutNotes(
  attributes: ReceivedMessage['attributes'],
  kept = NONE,
): ReceivedMessage['attributes'] {
  return Object.fromEntries(
    Object.entries(attributes).filter(([name]) => !NOTES.has(name) || kept.has(name)),
  );
}

/**
 * Lets a released message continue in a copy that names unconcluded claims by their secrets: their worker lives, but the
 * task store did not answer it. If one of them still holds the task's row, the next worker takes the task over at once,
 * without counting a crash or an attempt.
 *
 * @param secrets - of the claims. Rows do not have them, because senders can read rows
 */
export function unconcluded(
  release: Extract<Outcome, { kind: 'release' }>,
  secrets: readonly string[],
): Outcome {
  return { ...release, asCopy: true, notes: { ...release.notes, [UNCONCLUDED]: secrets.join(' ') } };
}

/** The secrets of the unconcluded claims that a message names. */
export function unconcludedClaims({ attributes }: ReceivedMessage): readonly string[] {
  const text = (attributes[UNCONCLUDED]?.StringValue ?? '').slice(0, MAX_UNCONCLUDED_CHARACTERS);
  return text === '' ? [] : text.split(' ');
}
