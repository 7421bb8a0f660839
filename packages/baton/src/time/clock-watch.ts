// Compares this process's clock with the clocks of AWS services.
import type { MiddlewareStack } from '@smithy/types';
import type { Logger } from '../telemetry/logger.ts';
import { httpDateMs } from './http-date.ts';

/**
 * A clock that differs by more counts as wrong, in milliseconds. Time synchronization keeps machines within tenths of a
 * second. A machine that was just resumed, or a server too busy to renew its Date header, may differ by a second or two for
 * a moment, which must not raise an alarm. Smaller differences are corrected too: this limit only decides about the alarm.
 */
export const MAX_SKEW_MS = 5000;

/** Date headers have whole seconds (RFC 9110, section 5.6.7). */
const DATE_RESOLUTION_MS = 1000;
/** Only one answer within this time is looked at, so that requests cost no more. */
const LOOK_MS = 1000;
/** If wall clock and monotonic clock move apart by more, one was set or stood still. */
const STEP_MS = 1000;
/** How fast two clocks that nobody sets may move apart: 500 ppm, the most by which time synchronization slews. */
const DRIFT = 0.0005;
/** The alarm is repeated after this time. */
const REPEAT_MS = 600_000;
/** How many requests in a row are made to learn the time. Servers that contradict each other must not stop all work. */
const MAX_ASKS = 3;

/** By how much a service's clock is ahead of this process's, at least and at most, in milliseconds. */
interface Range {
  readonly low: number;
  readonly high: number;
}

/** Configures the clocks of this process, and whether they can be compared. */
export interface OwnClocks {
  /** The wall clock: milliseconds since 1970. Default: the system's. */
  readonly now?: () => number;
  /** The monotonic clock, in milliseconds. Default: `performance.now()`. */
  readonly elapsed?: () => number;
  /** Whether a service's answers can be compared. If not, the wall clock is trusted. Default true. */
  readonly answers?: boolean;
}

/** A client of the AWS SDK. A stand-in without middleware tells no time. */
type WatchedClient = object & { readonly middlewareStack?: object };

const SYSTEM_TIME: Range = { low: 0, high: 0 };
const KNOWN = Promise.resolve();
const watches = new WeakMap<object, ClockWatch>();

/**
 * Compares this process's clock with the clock of an AWS service, by the Date header of the service's answers. Gives the
 * service's time, so that one wrong clock does not decide about what all processes share.
 *
 * An answer tells that the service's clock showed its Date at some moment between request and answer. This gives a range
 * for the difference, which later answers narrow. A difference that contradicts the range counts once a second request has
 * confirmed it.
 */
export class ClockWatch {
  readonly #service: string;
  readonly #now: () => number;
  readonly #elapsed: () => number;
  /** Whether a service's answers can be compared. If not, this process's clock is trusted. */
  readonly measures: boolean;
  #dated = false;
  #range: Range | undefined;
  /** When `range` was last confirmed, by the monotonic clock. */
  #confirmedAtMs = -Infinity;
  /** The wall clock less the monotonic one, at that moment. */
  #clocksApartMs = 0;
  #candidate: (Range & { readonly heardAtMs: number }) | undefined;
  #lookedAtMs = -Infinity;
  #asking: Promise<void> | undefined;
  #logger: Logger | undefined;
  #saidAtMs: number | undefined;

  /** @param service - the service's name, for the log */
  constructor(service: string, clocks: OwnClocks = {}) {
    const { now = () => Date.now(), elapsed = () => performance.now(), answers = true } = clocks;
    this.#service = service;
    this.measures = answers;
    this.#now = now;
    this.#elapsed = elapsed;
  }

  /** Returns the one watch of several clients of one service. From now on they share it. */
  static of(...clients: readonly WatchedClient[]): ClockWatch {
    const keys = clients.map((client) => client.middlewareStack ?? client);
    const known = keys.map((key) => watches.get(key)).find((watch) => watch !== undefined);
    const { config } = (clients[0] ?? {}) as { config?: { serviceId?: string } };
    const answers = clients.some(({ middlewareStack }) => middlewareStack !== undefined);
    const watch = known ?? new ClockWatch(config?.serviceId ?? 'the service', { answers });
    watch.listenTo(...clients);
    return watch;
  }

  /** Also learns from the answers of these clients, unless they have a watch. From now on `of` returns this watch for them. */
  listenTo(...clients: readonly WatchedClient[]): void {
    for (const client of clients) {
      const key = client.middlewareStack ?? client;
      if (watches.has(key)) continue;
      watches.set(key, this);
      if (client.middlewareStack) this.#listen(client.middlewareStack as MiddlewareStack<object, object>);
    }
  }

  /** The service's time as far as it is known, in milliseconds since 1970. */
  get nowMs(): number {
    return this.#now() + Math.round(this.#offsetMs);
  }

  /**
   * Whether `nowMs` can be relied on. False before the first answer. False again after this process's clocks were set or
   * stood still, or after a contradicting answer, until the next answer.
   */
  get sure(): boolean {
    return !this.measures || (this.#candidate === undefined && !this.#stepped);
  }

  /** Whether `nowMs` is the service's time. False if its answers have no Date header. */
  get dated(): boolean {
    return !this.measures || this.#dated;
  }

  /** Whether this process's clock differs from the service's by more than `MAX_SKEW_MS`. */
  get differs(): boolean {
    return Math.abs(this.#offsetMs) > MAX_SKEW_MS;
  }

  /** By how much this process's clock is ahead of the service's, in seconds; `null` while no answer had a Date header. */
  get skewSeconds(): number | null {
    return this.#dated ? Math.round(-this.#offsetMs / 100) / 10 || 0 : null;
  }

  /** The state for `/health/state`. */
  get state() {
    return { service: this.#service, skewSeconds: this.skewSeconds, differs: this.differs };
  }

  /** A sentence that says how this process's clock is wrong. Undefined if it is right. */
  get trouble(): string | undefined {
    if (!this.differs) return undefined;
    const seconds = this.skewSeconds ?? 0;
    const side = seconds > 0 ? 'ahead of' : 'behind';
    return `This process's clock is ${Math.abs(seconds)} s ${side} the clock of ${this.#service}`;
  }

  /** Logs when the clock is wrong and when it is right again. Only the first given logger is used. */
  reportTo(logger: Logger): void {
    this.#logger ??= logger;
  }

  /**
   * Resolves once the service's time is known, or after three requests that did not tell it.
   *
   * @param ask - makes a request
   * @throws the errors of `ask`
   */
  known(ask: () => Promise<unknown>): Promise<void> {
    if (this.sure) return KNOWN;
    this.#asking ??= this.#ask(ask).finally(() => (this.#asking = undefined));
    return this.#asking;
  }

  /**
   * Learns from an answer.
   *
   * @param date - its Date header; a text that is not an HTTP date is ignored
   * @param askedAtMs - when the request was made, by the monotonic clock
   */
  hear(date: string | undefined, askedAtMs: number): void {
    const elapsedMs = this.#elapsed();
    const nowMs = this.#now();
    this.#lookedAtMs = elapsedMs;
    const serverMs = date === undefined ? undefined : httpDateMs(date, nowMs);
    if (serverMs === undefined) {
      // A service without a Date header: trust this process's clock
      if (!this.#dated) this.#confirm(SYSTEM_TIME, nowMs, elapsedMs);
      return;
    }
    const askedMs = nowMs - (elapsedMs - askedAtMs);
    const measured = { low: serverMs - nowMs, high: serverMs + DATE_RESOLUTION_MS - askedMs };
    const before =
      this.#dated && this.#range ? drifted(this.#range, elapsedMs - this.#confirmedAtMs) : SYSTEM_TIME;
    this.#dated = true;
    const same = both(before, measured);
    if (same) return this.#confirm(same, nowMs, elapsedMs);
    const candidate = this.#candidate;
    const again = candidate && both(candidate, measured);
    if (!again) this.#candidate = { ...measured, heardAtMs: elapsedMs };
    // Requests under way at the same time may all be delayed alike, so they cannot confirm each other
    else if (askedAtMs >= candidate.heardAtMs) this.#confirm(again, nowMs, elapsedMs);
  }

  #confirm(range: Range, nowMs: number, elapsedMs: number): void {
    this.#range = range;
    this.#candidate = undefined;
    this.#confirmedAtMs = elapsedMs;
    this.#clocksApartMs = nowMs - elapsedMs;
    this.#report(nowMs, elapsedMs);
  }

  /** While nothing is confirmed, the last answer is better than a clock that may be wrong. */
  get #offsetMs(): number {
    const range = (this.#stepped ? this.#candidate : undefined) ?? this.#range ?? SYSTEM_TIME;
    // The smallest correction that fits the answers: a clock that may be right stays as it is
    return Math.min(range.high, Math.max(range.low, 0));
  }

  get #stepped(): boolean {
    if (!this.#range) return true;
    return Math.abs(this.#now() - this.#elapsed() - this.#clocksApartMs) > STEP_MS;
  }

  async #ask(ask: () => Promise<unknown>): Promise<void> {
    for (let asks = 1; asks <= MAX_ASKS && !this.sure; asks += 1) await ask();
  }

  #report(nowMs: number, elapsedMs: number): void {
    const { trouble, skewSeconds } = this;
    if (trouble === undefined && this.#saidAtMs === undefined) return;
    if (trouble !== undefined && elapsedMs - (this.#saidAtMs ?? -Infinity) < REPEAT_MS) return;
    this.#saidAtMs = trouble === undefined ? undefined : elapsedMs;
    const [time, serviceTime] = [nowMs, nowMs + this.#offsetMs].map((ms) => new Date(ms).toISOString());
    const fields = { clock: { of: this.#service, skewSeconds, time, serviceTime } };
    if (trouble === undefined) this.#logger?.info(fields, `clock agrees with ${this.#service} again`);
    else this.#logger?.error(fields, `clock is wrong: ${trouble}`);
  }

  #listen(stack: MiddlewareStack<object, object>): void {
    stack.add(
      (next) => async (args) => {
        const askedAtMs = this.#elapsed();
        if (askedAtMs - this.#lookedAtMs < LOOK_MS && this.sure) return next(args);
        const answer = await next(args);
        const { headers } = (answer.response ?? {}) as { headers?: Readonly<Record<string, string>> };
        // An answer of a cache has the Date of the moment when it was cached
        if (headers?.['age'] === undefined) this.hear(headers?.['date'], askedAtMs);
        return answer;
      },
      // First of all middlewares, because direct requests skip the others
      { name: 'clockWatchMiddleware', step: 'initialize', priority: 'high' },
    );
  }
}

function both(one: Range, other: Range): Range | undefined {
  const range = { low: Math.max(one.low, other.low), high: Math.min(one.high, other.high) };
  return range.low <= range.high ? range : undefined;
}

function drifted({ low, high }: Range, forMs: number): Range {
  return { low: low - forMs * DRIFT, high: high + forMs * DRIFT };
}
