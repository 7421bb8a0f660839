import { setTimeout as sleep } from 'node:timers/promises';

/** What came of one renewal. */
export type Renewed =
  /** It lasts for so long from when it was asked for. */
  | { readonly forMs: number }
  /** It is gone already. */
  | { readonly lost: string }
  /** It cannot be renewed any more, and lasts to its end. */
  | 'last';

/** What is renewed, and how. */
export interface RenewalOptions {
  /** How long one renewal is good for, in milliseconds; the next one follows after a third of it. */
  readonly lengthMs: number;
  /** When it ends unless it is renewed, by `performance.now()`. */
  readonly endsAtMs: number;
  /** When it is first renewed, by `performance.now()`. */
  readonly renewAtMs: number;
  /** Renews it once. Where it rejects it is asked again, until the end. */
  readonly renew: () => Promise<Renewed>;
  /** Called when a renewal failed and will be tried again. */
  readonly onTrouble: (error: unknown) => void;
  /** Called once, when it is lost. */
  readonly onLost: (why: string) => void;
}

/** Failed renewals are tried again so often in what is one renewal's length, at least after 50 ms and at most 1 s. */
const TRIES = 20;
const MIN_RETRY_MS = 50;
const MAX_RETRY_MS = 1000;
const NOT_IN_TIME = 'it could not be renewed in time';

/** Keeps a right that lasts for a time: renews it at a third of that, and says when it is lost. */
export class Renewal {
  readonly #options: RenewalOptions;
  #held = true;
  #stopping = false;
  #closed = false;
  #endsAtMs: number;
  /** The same by the wall clock, which goes on while the machine is suspended. */
  #endsAtWallMs: number;
  /** It cannot be renewed any more. */
  #final = false;
  #end: NodeJS.Timeout | undefined;
  #next: NodeJS.Timeout | undefined;
  #underWay: Promise<void> | undefined;

  constructor(options: RenewalOptions) {
    this.#options = options;
    this.#endsAtMs = options.endsAtMs;
    this.#endsAtWallMs = Date.now() + options.endsAtMs - performance.now();
    this.#renewAfter(options.renewAtMs - performance.now());
  }

  /** Whether it was not lost before it was closed. */
  get held(): boolean {
    return this.#held && (this.#closed || performance.now() < this.#endsAtMs);
  }

  /** When it ends unless it is renewed, by `performance.now()`. */
  get endsAtMs(): number {
    return this.#endsAtMs;
  }

  /**
   * Gives nothing while both clocks say that it lasts. If only the wall clock says that it has ended, the machine was
   * suspended or its clock was set forward: then it is renewed at once, which tells. Resolves to whether it lasts.
   */
  confirm(): Promise<boolean> | undefined {
    // A blocked or stopped process has fired no timer
    if (!this.#closed && performance.now() >= this.#endsAtMs) this.#lose(NOT_IN_TIME);
    if (!this.held) return Promise.resolve(false);
    return this.#closed || Date.now() < this.#endsAtWallMs ? undefined : this.#ask();
  }

  async #ask(): Promise<boolean> {
    while (this.held && Date.now() >= this.#endsAtWallMs) {
      if (this.#stopping) return false;
      if (this.#final) this.#lose(NOT_IN_TIME);
      else if (this.#underWay) await this.#underWay;
      else {
        clearTimeout(this.#next);
        await this.#begin();
        if (Date.now() >= this.#endsAtWallMs) await sleep(this.#retryMs);
      }
    }
    return this.held;
  }

  /** Renews no longer. Resolves once a renewal under way has ended, which could otherwise undo what comes next. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#next);
    await this.#underWay;
  }

  /** Forgets it: it is given back, or runs to its end. */
  close(): void {
    this.#held = this.held;
    this.#stopping = true;
    this.#closed = true;
    clearTimeout(this.#next);
    clearTimeout(this.#end);
  }

  #renewAfter(delayMs: number): void {
    if (this.#stopping || !this.#held) return;
    this.#next = setTimeout(() => void this.#begin(), Math.max(0, delayMs));
  }

  #begin(): Promise<void> {
    this.#watchEnd();
    this.#underWay ??= this.#renew().finally(() => (this.#underWay = undefined));
    return this.#underWay;
  }

  get #retryMs(): number {
    return Math.min(MAX_RETRY_MS, Math.max(MIN_RETRY_MS, this.#options.lengthMs / TRIES));
  }

  /** A renewal may hang, so the end has a timer of its own; before the first renewal there is nothing to watch. */
  #watchEnd(): void {
    clearTimeout(this.#end);
    const leftMs = Math.max(0, this.#endsAtMs - performance.now());
    this.#end = setTimeout(() => this.#lose(NOT_IN_TIME), leftMs);
  }

  async #renew(): Promise<void> {
    const { lengthMs, renew, onTrouble } = this.#options;
    const askedAtMs = performance.now();
    const askedAtWallMs = Date.now();
    try {
      const renewed = await renew();
      if (renewed === 'last') {
        this.#final = true;
        return;
      }
      if ('lost' in renewed) return this.#lose(renewed.lost);
      clearTimeout(this.#end);
      if (this.#held) {
        this.#endsAtMs = askedAtMs + renewed.forMs;
        this.#endsAtWallMs = askedAtWallMs + renewed.forMs;
      }
      if (this.#held && !this.#closed) this.#watchEnd();
      this.#renewAfter(lengthMs / 3);
    } catch (error) {
      if (this.#stopping) return;
      onTrouble(error);
      this.#renewAfter(this.#retryMs);
    }
  }

  /** Once it is stopped, whoever waits for that learns by `held`; what it was kept for has ended. */
  #lose(why: string): void {
    if (!this.#held) return;
    this.#held = false;
    clearTimeout(this.#next);
    clearTimeout(this.#end);
    if (!this.#stopping) this.#options.onLost(why);
  }
}
