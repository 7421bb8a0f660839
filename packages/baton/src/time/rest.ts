// Rests: how long a message stays hidden after an attempt, as its handler asks for it.
import { types } from 'node:util';
import { httpDateMs } from './http-date.ts';

type Moment =
  /** Rests until this time, at most 12 h from now. A past time means now. */
  | { readonly until: Date; readonly delaySeconds?: never; readonly retryAfter?: never }
  /**
   * The `Retry-After` header of an HTTP answer: a number of seconds or an HTTP date (RFC 9110, section 10.2.3). Pass
   * `headers.get('retry-after')` as it is, even if it may be `null`.
   */
  | { readonly retryAfter: string | null | undefined; readonly delaySeconds?: never; readonly until?: never };

/** A rest before the next attempt: one of these members. */
export type Rest =
  /** In seconds, 0 to 43,200 (12 h). Smaller numbers mean 0, larger ones 43,200. */
  { readonly delaySeconds: number; readonly until?: never; readonly retryAfter?: never } | Moment;

/** A rest that may be left out. Then the contract's retry policy decides. */
export type OptionalRest =
  | { readonly delaySeconds?: number | undefined; readonly until?: never; readonly retryAfter?: never }
  | Moment;

/** A rest that was read. */
export interface ReadRest {
  /** In seconds; undefined if the contract's retry policy decides. */
  readonly delaySeconds: number | undefined;
  /** Why the given rest could not be used. */
  readonly unusableRest?: string;
}

const MAX_SHOWN_CHARACTERS = 100;

/**
 * Reads a rest. Never throws, because it is called while another error is handled: if a rest cannot be used, the retry
 * policy decides and `unusableRest` says why.
 *
 * @param nowMs - now, in milliseconds since 1970
 */
export function readRest(rest: OptionalRest, nowMs: number = Date.now()): ReadRest {
  if ('retryAfter' in rest) return byRetryAfter(rest.retryAfter, nowMs);
  if (rest.until !== undefined) return byDate(rest.until, nowMs);
  const { delaySeconds } = rest;
  if (delaySeconds === undefined || isRest(delaySeconds)) return { delaySeconds };
  return unusable('delaySeconds', 'a number of seconds', delaySeconds);
}

/** Whether a value is a number of seconds. */
export function isRest(seconds: unknown): seconds is number {
  return typeof seconds === 'number' && !Number.isNaN(seconds);
}

/** Rounds seconds up to a whole number from 0 to `most`, as SQS needs it. NaN gives 0. */
export function wholeSeconds(seconds: number, most: number): number {
  return isRest(seconds) ? Math.min(most, Math.max(0, Math.ceil(seconds))) : 0;
}

function byDate(until: Date, nowMs: number): ReadRest {
  const untilMs = types.isDate(until) ? Date.prototype.getTime.call(until) : NaN;
  if (Number.isNaN(untilMs)) return unusable('until', 'a valid Date', until);
  return { delaySeconds: secondsUntil(untilMs, nowMs) };
}

function byRetryAfter(header: string | null | undefined, nowMs: number): ReadRest {
  if (typeof header !== 'string') return unusable('retryAfter', 'a Retry-After header', header);
  const text = header.trim();
  // The RFC allows only whole seconds, but some servers send fractions
  if (/^\d+(\.\d+)?$/.test(text)) return { delaySeconds: Number(text) };
  const dateMs = httpDateMs(text, nowMs);
  if (dateMs === undefined) return unusable('retryAfter', 'a number of seconds or an HTTP date', header);
  return { delaySeconds: secondsUntil(dateMs, nowMs) };
}

function secondsUntil(timeMs: number, nowMs: number): number {
  return Math.max(0, Math.ceil((timeMs - nowMs) / 1000));
}

function unusable(option: string, expected: string, held: unknown): ReadRest {
  const shown = typeof held === 'string' ? JSON.stringify(held.slice(0, MAX_SHOWN_CHARACTERS)) : nameOf(held);
  return { delaySeconds: undefined, unusableRest: `${option}: expected ${expected}, got ${shown}` };
}

function nameOf(held: unknown): string {
  if (types.isDate(held)) return 'an invalid Date';
  return typeof held === 'number' || held === null || held === undefined ? String(held) : typeof held;
}
