// The slots of a worker, shared among its queues.
import { LaneShares } from './lane-shares.ts';
import { Slot } from './slot.ts';

/** How long a message may wait in a worker for a slot, in milliseconds: another worker may have a free one. */
export const MAX_WAIT_MS = 1000;
/** The weight of one task's duration in its queue's average: about the last eight tasks decide. */
const SMOOTHING = 1 / 8;
/** A slot that is expected back within this time counts as free. */
const SOON_MS = 250;
/** A slot is kept for a queue whose last task ended within this time. */
const RECENT_MS = 60_000;
/** A worker with fewer slots keeps none, because one slot is too large a part of its capacity. */
const FEWEST_TO_KEEP_ONE = 8;
/** The most time of all slots that a queue can catch up on if it has used less than its share. */
const MAX_CREDIT_MS = 60_000;

/** The slots that one queue holds and has used. */
interface Share {
  readonly weight: number;
  /** Its lanes, with the waiters for a slot in each. */
  readonly lanes: LaneShares;
  /** The slots that it holds now. */
  held: number;
  /** The slot time that it has used, divided by its weight. */
  usedMs: number;
  /** The time up to which `usedMs` counts, by `performance.now()`. */
  countedAtMs: number;
  /** The average duration of its tasks; 0 before the first has ended. */
  typicalMs: number;
  /** When its last task ended, by `performance.now()`. */
  lastTaskAtMs: number;
}

/** Slots that are kept for a queue's next request as they become free. */
export interface Gathering {
  /** Resolves once there is one, or once the gathering ends. */
  readonly first: Promise<void>;
  /** Ends the gathering. Returns how many slots have gathered, possibly none. */
  take(): number;
}

/**
 * Shares the slots of a worker among its queues, by the time that they use.
 *
 * A free slot goes to the queue that asks first. If none is free, the next one goes to the queue that has used the least
 * slot time for its weight, and in that queue to the lane whose turn it is. This is start-time fair queueing (Goyal, Vin
 * and Cheng, 1997), except that time is charged while it passes, because the duration of a task is not known beforehand. A
 * queue that was idle has no credit for that time.
 *
 * One slot may stay free. While slow tasks hold the other slots, a queue that holds some of them may not take the last one
 * if another queue, which holds none, had a task within the last minute. Otherwise that queue's next task would wait for
 * the end of a slow one. A worker with fewer than eight slots keeps none free, and no slot is kept for a queue whose weight
 * entitles it to less than one.
 */
export class Slots {
  readonly total: number;
  #free: number;
  readonly #shares = new Set<Share>();
  /** By the names of queues and of lanes. */
  readonly #shareByName = new Map<string, Share>();
  /** The slot time that the queue served last had used by then. A queue that was idle starts from there. */
  #virtualMs = 0;
  /** When a slot was last taken, or given back after a task. */
  #lastChangeAtMs = -Infinity;
  #recheck: NodeJS.Timeout | undefined;
  #paused = false;

  /**
   * @param total - how many tasks may run at one time, at least 1
   * @param weights - by queue, at least 1; a queue that is not listed has 1
   * @param lanes - by queue, the weights of its lanes by their names; left out for a queue without lanes
   */
  constructor(
    total: number,
    weights: ReadonlyMap<string, number> = new Map(),
    lanes: ReadonlyMap<string, ReadonlyMap<string, number>> = new Map(),
  ) {
    this.total = total;
    this.#free = total;
    for (const [queue, weight] of weights) this.#addShare(weight, lanes.get(queue) ?? new Map([[queue, 1]]));
  }

  /** The number of free slots. */
  get free(): number {
    return this.#paused ? 0 : Math.max(0, this.#free);
  }

  /** Stops giving slots. */
  pause(): void {
    this.#paused = true;
  }

  /** Continues to give slots. */
  resume(): void {
    this.#paused = false;
    this.#serve(performance.now());
  }

  /** The number of slots that this queue could take now. */
  freeFor(queue: string): number {
    return this.#freeFor(this.#shareOf(queue), performance.now());
  }

  /** Takes a slot for a queue once it is the queue's turn. Resolves to false if `signal` aborts first. */
  async take(queue: string, signal?: AbortSignal): Promise<boolean> {
    if (signal?.aborted) return false;
    if (this.takeFree(queue, 1) === 1) return true;
    const { lanes, typicalMs } = this.#shareOf(queue);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const given = (): boolean => {
      resolve(true);
      return false;
    };
    const stop = (): void => {
      lanes.remove(queue, given);
      resolve(false);
    };
    lanes.add(queue, given, typicalMs);
    signal?.addEventListener('abort', stop, { once: true });
    this.#recheckLater(performance.now());
    return promise.finally(() => signal?.removeEventListener('abort', stop));
  }

  /**
   * Takes a slot for a message that was received without one: a free slot, or one that becomes free within a second. Does
   * not wait if none is expected so soon. Resolves to undefined if there is none, or if `signal` aborts.
   */
  async takeSoon(queue: string, signal?: AbortSignal): Promise<Slot | undefined> {
    if (signal?.aborted) return undefined;
    if (this.takeFree(queue, 1) === 1) return new Slot(this, queue);
    if (this.#expectedMs(performance.now(), 0) > MAX_WAIT_MS) return undefined;
    const late = new AbortController();
    const stop = (): void => late.abort();
    const timer = setTimeout(stop, MAX_WAIT_MS);
    signal?.addEventListener('abort', stop, { once: true });
    const taken = await this.take(queue, late.signal).finally(() => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
    });
    return taken ? new Slot(this, queue) : undefined;
  }

  /**
   * Keeps slots that become free in a queue's turn, at most `most`, until they are taken.
   *
   * For a receiver that expects more messages after its request under way: if it asked for slots only afterwards, those that
   * become free meanwhile would all go to other queues, even if those have used more.
   */
  gather(queue: string, most: number): Gathering {
    const nowMs = performance.now();
    const share = this.#shareOf(queue);
    const { promise: first, resolve } = Promise.withResolvers<void>();
    let gathered = 0;
    const given = (): boolean => {
      gathered += 1;
      resolve();
      return gathered < most;
    };
    this.#limitCredit(share, nowMs);
    share.lanes.add(queue, given, share.typicalMs);
    this.#recheckLater(nowMs);
    return {
      first,
      take: () => {
        share.lanes.remove(queue, given);
        resolve();
        return gathered;
      },
    };
  }

  /** Takes as many slots as this queue can have now, at most `most`. Returns how many, possibly none. */
  takeFree(queue: string, most: number): number {
    const nowMs = performance.now();
    const share = this.#shareOf(queue);
    this.#limitCredit(share, nowMs);
    const taken = Math.min(this.#freeFor(share, nowMs), most);
    if (taken > 0) this.#give(share, queue, taken, nowMs);
    return taken;
  }

  /** Takes slots even if none are free: then the next slots that are given back do not become free. */
  takeAnyway(queue: string, slots: number): void {
    this.#give(this.#shareOf(queue), queue, slots, performance.now());
  }

  /** Gives back slots in which no task has run. */
  giveBack(queue: string, slots = 1): void {
    this.#takeBack(this.#shareOf(queue), queue, slots, performance.now());
  }

  /** Gives back the slot of a task that ran for so many milliseconds. */
  taskEnded(queue: string, ranMs: number): void {
    const share = this.#shareOf(queue);
    share.typicalMs += share.typicalMs === 0 ? ranMs : (ranMs - share.typicalMs) * SMOOTHING;
    const nowMs = performance.now();
    share.lastTaskAtMs = this.#lastChangeAtMs = nowMs;
    this.#takeBack(share, queue, 1, nowMs);
  }

  #shareOf(queue: string): Share {
    return this.#shareByName.get(queue) ?? this.#addShare(1, new Map([[queue, 1]]));
  }

  #addShare(weight: number, lanes: ReadonlyMap<string, number>): Share {
    const share = newShare(weight, new LaneShares(lanes, this.total));
    this.#shares.add(share);
    for (const lane of lanes.keys()) this.#shareByName.set(lane, share);
    return share;
  }

  /** Limits the credit of a queue that used less than its share, so that it does not shut the others out later. */
  #limitCredit(share: Share, nowMs: number): void {
    if (share.lanes.waiting > 0) return;
    charge(share, nowMs);
    const creditMs = share.held > 0 ? (MAX_CREDIT_MS * this.total) / share.weight : 0;
    share.usedMs = Math.max(share.usedMs, this.#virtualMs - creditMs);
  }

  #give(share: Share, queue: string, slots: number, nowMs: number): void {
    charge(share, nowMs);
    this.#virtualMs = Math.max(this.#virtualMs, share.usedMs);
    this.#lastChangeAtMs = nowMs;
    share.held += slots;
    share.lanes.take(queue, slots, share.typicalMs);
    this.#free -= slots;
  }

  #takeBack(share: Share, queue: string, slots: number, nowMs: number): void {
    charge(share, nowMs);
    share.held -= slots;
    share.lanes.giveBack(queue, slots);
    this.#free += slots;
    this.#serve(nowMs);
  }

  #serve(nowMs: number): void {
    while (this.free > 0) {
      const next = this.#next(nowMs);
      const queue = next?.lanes.next(next.typicalMs);
      if (!next || queue === undefined) return this.#recheckLater(nowMs);
      this.#give(next, queue, 1, nowMs);
      next.lanes.serve(queue);
    }
  }

  /** The queue whose turn it is. */
  #next(nowMs: number): Share | undefined {
    let next: Share | undefined;
    let leastMs = Infinity;
    for (const share of this.#shares) {
      if (share.lanes.waiting === 0 || this.#freeFor(share, nowMs) === 0) continue;
      charge(share, nowMs);
      // Running tasks count as if they had ended. Otherwise all slots that become free together would go to one queue
      const dueMs = share.usedMs + (share.held * share.typicalMs) / share.weight;
      if (dueMs >= leastMs) continue;
      next = share;
      leastMs = dueMs;
    }
    return next;
  }

  #freeFor(share: Share, nowMs: number): number {
    if (this.free === 0 || share.held === 0) return this.free;
    return this.#keptUntilMs(share, nowMs) > nowMs ? this.#free - 1 : this.#free;
  }

  /** Until when one slot is kept from a queue that holds some. A past time if none is kept. */
  #keptUntilMs(asking: Share, nowMs: number): number {
    if (this.total < FEWEST_TO_KEEP_ONE || this.#expectedMs(nowMs, Infinity) <= SOON_MS) return -Infinity;
    let weights = 0;
    for (const share of this.#shares) if (share === asking || isActive(share, nowMs)) weights += share.weight;
    let untilMs = -Infinity;
    for (const { held, weight, lastTaskAtMs } of this.#shares)
      if (held === 0 && this.total * weight >= weights) untilMs = Math.max(untilMs, lastTaskAtMs + RECENT_MS);
    return untilMs;
  }

  /**
   * The time until a slot is expected back, by the durations of earlier tasks.
   *
   * @param unknownMs - the assumed duration for a queue of which no task has ended yet
   */
  #expectedMs(nowMs: number, unknownMs: number): number {
    let perMs = 0;
    for (const { held, typicalMs } of this.#shares)
      if (held > 0) perMs += held / (typicalMs > 0 ? typicalMs : unknownMs);
    return Math.max(1 / perMs, nowMs - this.#lastChangeAtMs);
  }

  /** Serves the waiters once a kept slot becomes free, which no event announces. */
  #recheckLater(nowMs: number): void {
    if (this.#recheck || this.free === 0) return;
    let untilMs = Infinity;
    for (const share of this.#shares)
      if (share.lanes.waiting > 0) untilMs = Math.min(untilMs, this.#keptUntilMs(share, nowMs));
    if (untilMs === Infinity) return;
    this.#recheck = setTimeout(
      () => {
        this.#recheck = undefined;
        this.#serve(performance.now());
      },
      Math.max(1, untilMs - nowMs),
    ).unref();
  }
}

function newShare(weight: number, lanes: LaneShares): Share {
  return { weight, lanes, held: 0, usedMs: 0, countedAtMs: 0, typicalMs: 0, lastTaskAtMs: -Infinity };
}

function isActive({ held, lanes, lastTaskAtMs }: Share, nowMs: number): boolean {
  return held > 0 || lanes.waiting > 0 || lastTaskAtMs + RECENT_MS > nowMs;
}

function charge(share: Share, nowMs: number): void {
  share.usedMs += (share.held * (nowMs - share.countedAtMs)) / share.weight;
  share.countedAtMs = nowMs;
}
