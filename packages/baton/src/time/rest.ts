import { types } from 'node:util';
import { httpDateMs } from './http-date.ts';

type Moment =
  /** Until a point in time, at most 12 h from now. A time that is past means now. */
  | { readonly until: Date; readonly delaySeconds?: never; readonly retryAfter?: never }
  /**
   * As the header `Retry-After` of an HTTP answer says: a number of seconds or an HTTP date (RFC 9110, section 10.2.3).
   * `headers.get('retry-after')` can be given as it is, also when it is `null`.
   */
  | { readonly retryAfter: string | null | undefined; readonly delaySeconds?: never; readonly until?: never };

/** How long a message rests before it is shown again: one of these. */
export type Rest =
  /** In seconds, 0 to 43,200 (12 h). Less means 0, more means 43,200. */
  { readonly delaySeconds: number; readonly until?: never; readonly retryAfter?: never } | Moment;

/** The same, or nothing: then the contract's retry policy decides. */
export type OptionalRest =
  | { readonly delaySeconds?: number | undefined; readonly until?: never; readonly retryAfter?: never }
  | Moment;

/** A rest as it was understood. */
export interface UnderstoodRest {
  /** In seconds; nothing where the contract's retry policy decides. */
  readonly delaySeconds: number | undefined;
  /** Why what was given could not be used. */
  readonly unusableRest?: string;
}

const MAX_SHOWN_CHARACTERS = 100;

/**
 * Understands a rest. Never throws, since it is given where something has gone wrong already: what cannot be used
 * leaves the rest to the retry policy, and says why.
 *
 * @param nowMs - in milliseconds since 1970
 */
export function understoodRest(rest: OptionalRest, nowMs: number = Date.now()): UnderstoodRest {
  if ('retryAfter' in rest) return byRetryAfter(rest.retryAfter, nowMs);
  if (rest.until !== undefined) return byDate(rest.until, nowMs);
  const { delaySeconds } = rest;
  if (delaySeconds === undefined || isRest(delaySeconds)) return { delaySeconds };
  return unusable('delaySeconds', 'a number of seconds', delaySeconds);
}

/** Whether a value says how long to rest. */
export function isRest(seconds: unknown): seconds is number {
  return typeof seconds === 'number' && !Number.isNaN(seconds);
}

/** A number of seconds as SQS takes it: a whole one from 0 to `most`. What is no number is 0. */
export function wholeSeconds(seconds: number, most: number): number {
  return isRest(seconds) ? Math.min(most, Math.max(0, Math.ceil(seconds))) : 0;
}

function byDate(until: Date, nowMs: number): UnderstoodRest {
  const untilMs = types.isDate(until) ? Date.prototype.getTime.call(until) : NaN;
  if (Number.isNaN(untilMs)) return unusable('until', 'a valid Date', until);
  return { delaySeconds: secondsUntil(untilMs, nowMs) };
}

function byRetryAfter(header: string | null | undefined, nowMs: number): UnderstoodRest {
  if (typeof header !== 'string') return unusable('retryAfter', 'a Retry-After header', header);
  const text = header.trim();
  // The RFC has whole seconds alone; some servers send fractions
  if (/^\d+(\.\d+)?$/.test(text)) return { delaySeconds: Number(text) };
  const dateMs = httpDateMs(text, nowMs);
  if (dateMs === undefined) return unusable('retryAfter', 'a number of seconds or an HTTP date', header);
  return { delaySeconds: secondsUntil(dateMs, nowMs) };
}

function secondsUntil(timeMs: number, nowMs: number): number {
  return Math.max(0, Math.ceil((timeMs - nowMs) / 1000));
}

function unusable(option: string, expected: string, held: unknown): UnderstoodRest {
  const shown = typeof held === 'string' ? JSON.stringify(held.slice(0, MAX_SHOWN_CHARACTERS)) : nameOf(held);
  return { delaySeconds: undefined, unusableRest: `${option}: expected ${expected}, got ${shown}` };
}

function nameOf(held: unknown): string {
  if (types.isDate(held)) return 'an invalid Date';
  return typeof held === 'number' || held === null || held === undefined ? String(held) : typeof held;
}
