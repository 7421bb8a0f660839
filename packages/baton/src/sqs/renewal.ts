// Renews a right that expires, such as a lease or a claim.
import { setTimeout as sleep } from 'node:timers/promises';

/** The result of one renewal. */
export type Renewed =
  /** The right lasts for so many milliseconds from the request. */
  | { readonly forMs: number }
  /** The right is lost already, for this reason. */
  | { readonly lost: string }
  /** The right cannot be renewed any more, and lasts until it expires. */
  | 'last';

/** Configures a renewal. */
export interface RenewalOptions {
  /** How long one renewal lasts, in milliseconds. The next one follows after a third of that. */
  readonly lengthMs: number;
  /** When the right expires without a renewal, by `performance.now()`. */
  readonly endsAtMs: number;
  /** When the right is first renewed, by `performance.now()`. */
  readonly renewAtMs: number;
  /** Renews the right once. Called again if it rejects, until the right expires. */
  readonly renew: () => Promise<Renewed>;
  /** Called when a renewal failed and will be retried. */
  readonly onTrouble: (error: unknown) => void;
  /** Called once, when the right is lost. */
  readonly onLost: (why: string) => void;
}

/** How many retries of a failed renewal fit into one renewal's length. Their distance is 50 ms to 1 s. */
const TRIES = 20;
const MIN_RETRY_MS = 50;
const MAX_RETRY_MS = 1000;
const NOT_IN_TIME = 'it could not be renewed in time';

/** Keeps a right that expires: renews it after a third of its time, and reports its loss. */
export class Renewal {
  readonly #options: RenewalOptions;
  #held = true;
  #stopping = false;
  #closed = false;
  #endsAtMs: number;
  /** The same by the wall clock, which continues while the machine is suspended. */
  #endsAtWallMs: number;
  /** Whether the right cannot be renewed any more. */
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

  /** Whether the right was not lost before it was closed. */
  get held(): boolean {
    return this.#held && (this.#closed || performance.now() < this.#endsAtMs);
  }

  /** When the right expires without a renewal, by `performance.now()`. */
  get endsAtMs(): number {
    return this.#endsAtMs;
  }

  /**
   * Confirms that the right lasts. Returns undefined while both clocks say so. If only the wall clock says that it has
   * expired, the machine was suspended or its clock was set forward: then renews at once, and resolves to whether it lasts.
   */
  confirm(): Promise<boolean> | undefined {
    // No timer has fired while the process was blocked or stopped
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

  /** Stops renewing. Resolves once a renewal under way has ended, which could otherwise undo the next call. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#next);
    await this.#underWay;
  }

  /** Ends the renewals for good: the right was given back, or lasts until it expires. */
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

  /** Watches the end with a timer of its own, because a renewal may hang. Not needed before the first renewal. */
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

  /** Reports the loss, unless the renewal was stopped: then `held` tells it. */
  #lose(why: string): void {
    if (!this.#held) return;
    this.#held = false;
    clearTimeout(this.#next);
    clearTimeout(this.#end);
    if (!this.#stopping) this.#options.onLost(why);
  }
}
