import type { MiddlewareStack } from '@smithy/types';
import type { Logger } from '../telemetry/logger.ts';
import { httpDateMs } from './http-date.ts';

/**
 * A clock that is further off is said to be wrong, in milliseconds. Time synchronization keeps machines within tenths
 * of a second; a machine that was just resumed, or a server too busy to renew its Date header, may be a second or two
 * off for a moment, which must not raise an alarm. Times are corrected below it, too: it decides on the alarm alone.
 */
export const MAX_SKEW_MS = 5000;

/** A Date header has whole seconds (RFC 9110, section 5.6.7). */
const DATE_RESOLUTION_MS = 1000;
/** An answer is looked at once in so long, which keeps the cost of a request what it was. */
const LOOK_MS = 1000;
/** The wall clock was set, or the monotonic clock stood still, where they have moved apart by more. */
const STEP_MS = 1000;
/** How far two clocks that nobody sets move apart: 500 ppm, the most that time synchronization slews by. */
const DRIFT = 0.0005;
/** The alarm is repeated after so long. */
const REPEAT_MS = 600_000;
/** Answers that are asked for at once to learn the time; servers that contradict each other must not stop all work. */
const MAX_ASKS = 3;

/** The least and the most that a service's clock is ahead of this process's, in milliseconds. */
interface Range {
  readonly low: number;
  readonly high: number;
}

/** The clocks of this process. */
export interface OwnClocks {
  /** The wall clock: milliseconds since 1970. Default: the system's. */
  readonly now?: () => number;
  /** The monotonic clock, in milliseconds. Default: `performance.now()`. */
  readonly elapsed?: () => number;
  /** Whether there are answers to learn from; else the wall clock is taken as it is. Default true. */
  readonly answers?: boolean;
}

/** A client of the AWS SDK, whose answers have a Date header; a stand-in without middleware tells no time. */
type WatchedClient = object & { readonly middlewareStack?: object };

const SYSTEM_TIME: Range = { low: 0, high: 0 };
const KNOWN = Promise.resolve();
const watches = new WeakMap<object, ClockWatch>();

/**
 * Compares this process's clock with that of a service of AWS, by the Date header of its answers, and gives the
 * service's time: one wrong clock must not decide what all processes share.
 *
 * An answer says that the service's clock showed that second at some moment between request and answer, which gives a
 * range for the difference. What later answers say narrows it. A difference that contradicts what was known before is
 * believed once a second request has confirmed it.
 */
export class ClockWatch {
  readonly #service: string;
  readonly #now: () => number;
  readonly #elapsed: () => number;
  /** Whether there are answers to learn from; else this process's clock is taken as it is. */
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

  /** @param service - its name, for the log */
  constructor(service: string, clocks: OwnClocks = {}) {
    const { now = () => Date.now(), elapsed = () => performance.now(), answers = true } = clocks;
    this.#service = service;
    this.measures = answers;
    this.#now = now;
    this.#elapsed = elapsed;
  }

  /** The watch of these clients of one service: they share it from now on. */
  static of(...clients: readonly WatchedClient[]): ClockWatch {
    const keys = clients.map((client) => client.middlewareStack ?? client);
    const known = keys.map((key) => watches.get(key)).find((watch) => watch !== undefined);
    const { config } = (clients[0] ?? {}) as { config?: { serviceId?: string } };
    const answers = clients.some(({ middlewareStack }) => middlewareStack !== undefined);
    const watch = known ?? new ClockWatch(config?.serviceId ?? 'the service', { answers });
    watch.listenTo(...clients);
    return watch;
  }

  /** Learns from the answers of these clients, of which `of` gives this watch from now on; not of those that have one. */
  listenTo(...clients: readonly WatchedClient[]): void {
    for (const client of clients) {
      const key = client.middlewareStack ?? client;
      if (watches.has(key)) continue;
      watches.set(key, this);
      if (client.middlewareStack) this.#listen(client.middlewareStack as MiddlewareStack<object, object>);
    }
  }

  /** The service's time, as far as it is known, in milliseconds since 1970. */
  get nowMs(): number {
    return this.#now() + Math.round(this.#offsetMs);
  }

  /**
   * Whether `nowMs` can be relied on. Not before the first answer; nor after this process's clocks were set or stood
   * still, or an answer contradicted those before it, until another answer.
   */
  get sure(): boolean {
    return !this.measures || (this.#candidate === undefined && !this.#stepped);
  }

  /** Whether `nowMs` is the service's time: not where its answers have no date. */
  get dated(): boolean {
    return !this.measures || this.#dated;
  }

  /** Whether this process's clock is wrong by more than `MAX_SKEW_MS`, measured by the service's. */
  get differs(): boolean {
    return Math.abs(this.#offsetMs) > MAX_SKEW_MS;
  }

  /** By how much this process's clock is ahead of the service's, in seconds; `null` before an answer had a date. */
  get skewSeconds(): number | null {
    return this.#dated ? Math.round(-this.#offsetMs / 100) / 10 || 0 : null;
  }

  /** For `/health/state`. */
  get state() {
    return { service: this.#service, skewSeconds: this.skewSeconds, differs: this.differs };
  }

  /** What is wrong with this process's clock, in words; nothing where it is right. */
  get trouble(): string | undefined {
    if (!this.differs) return undefined;
    const seconds = this.skewSeconds ?? 0;
    const side = seconds > 0 ? 'ahead of' : 'behind';
    return `This process's clock is ${Math.abs(seconds)} s ${side} the clock of ${this.#service}`;
  }

  /** Says in this log when the clock is wrong and when it is right again. The first logger stays. */
  reportTo(logger: Logger): void {
    this.#logger ??= logger;
  }

  /**
   * Resolves once the service's time is known, or three answers in a row have not told it.
   *
   * @param ask - makes a request; what it throws is thrown
   */
  known(ask: () => Promise<unknown>): Promise<void> {
    if (this.sure) return KNOWN;
    this.#asking ??= this.#ask(ask).finally(() => (this.#asking = undefined));
    return this.#asking;
  }

  /**
   * Takes note of an answer.
   *
   * @param date - its Date header. A text that is no HTTP date is ignored
   * @param askedAtMs - when the request was made, by the monotonic clock
   */
  hear(date: string | undefined, askedAtMs: number): void {
    const elapsedMs = this.#elapsed();
    const nowMs = this.#now();
    this.#lookedAtMs = elapsedMs;
    const serverMs = date === undefined ? undefined : httpDateMs(date, nowMs);
    if (serverMs === undefined) {
      // A service that never says its time: this process's own clock is all there is
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
    // Answers of requests that were under way together may all be late in the same way: one confirms no other
    else if (askedAtMs >= candidate.heardAtMs) this.#confirm(again, nowMs, elapsedMs);
  }

  #confirm(range: Range, nowMs: number, elapsedMs: number): void {
    this.#range = range;
    this.#candidate = undefined;
    this.#confirmedAtMs = elapsedMs;
    this.#clocksApartMs = nowMs - elapsedMs;
    this.#report(nowMs, elapsedMs);
  }

  /** Where nothing is confirmed, what the last answer said is better than a clock that may be wrong. */
  get #offsetMs(): number {
    const range = (this.#stepped ? this.#candidate : undefined) ?? this.#range ?? SYSTEM_TIME;
    // No more than the answers demand: a clock that may be right is left as it is
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
        // A cache's answer is as old as it says
        if (headers?.['age'] === undefined) this.hear(headers?.['date'], askedAtMs);
        return answer;
      },
      // The first of all, so that it sees the answers of requests that pass the others by
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
