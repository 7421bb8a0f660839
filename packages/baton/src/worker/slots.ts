import { LaneLine } from './lane-line.ts';
import { Slot } from './slot.ts';

/** The longest that a message waits in a worker for a slot: another worker may have one free. In milliseconds. */
export const MAX_WAIT_MS = 1000;
/** How much one task's duration counts in its queue's average: the last eight or so decide. */
const SMOOTHING = 1 / 8;
/** A slot that is expected back within this time is as good as a free one. */
const SOON_MS = 250;
/** A slot is kept for a queue that had a task within this time. */
const RECENT_MS = 60_000;
/** A worker with fewer slots keeps none: one of them is too much of what it can do. */
const FEWEST_TO_KEEP_ONE = 8;
/** A queue that has used less than its share can catch up on at most this time of all slots. */
const MAX_CREDIT_MS = 60_000;

/** What one queue has, and has had, of the slots. */
interface Share {
  readonly weight: number;
  /** Those who wait for one, in its lanes. */
  readonly line: LaneLine;
  /** Slots that it holds now. */
  held: number;
  /** Slot time that it has used, divided by its weight. */
  usedMs: number;
  /** Up to when `usedMs` is counted, by `performance.now()`. */
  countedAtMs: number;
  /** How long its tasks take, on average; 0 before the first one has ended. */
  typicalMs: number;
  /** When its last task ended, by `performance.now()`. */
  lastTaskAtMs: number;
}

/** Slots that gather for a queue. */
export interface Gathering {
  /** Resolves once there is one, or no more are gathered. */
  readonly first: Promise<void>;
  /** Takes what has gathered, possibly none, and gathers no more. */
  take(): number;
}

/**
 * The slots for running tasks in a worker, shared among its queues by the time that they use.
 *
 * A free slot goes to the queue that asks first. While none is free, the next one goes to the queue that has used least
 * slot time for its weight, and in it to the lane whose turn it is. This is start-time fair queueing (Goyal, Vin and
 * Cheng, 1997), except that time is charged while it passes, because nobody knows beforehand how long a task takes. A
 * queue that was idle has no credit for it.
 *
 * One slot may stay free: while the slots are held by slow tasks, a queue that already holds some may not take the last
 * one if another queue, which holds none, had a task within the last minute. Otherwise that queue's next task would wait
 * for the end of a slow one. No slot is kept by a worker with fewer than eight, nor for a queue whose weight entitles it
 * to less than one.
 */
export class Slots {
  readonly total: number;
  #free: number;
  readonly #shares = new Set<Share>();
  /** By the names of queues and of lanes. */
  readonly #shareByName = new Map<string, Share>();
  /** What the queue that was served last had used by then, by which idle queues come back. */
  #virtualMs = 0;
  /** When a slot was last given, or given back by a task. */
  #lastChangeAtMs = -Infinity;
  #recheck: NodeJS.Timeout | undefined;
  #paused = false;

  /**
   * @param total - how many tasks may run at one time, at least 1
   * @param weights - by queue, at least 1; a queue that is not named has 1
   * @param lanes - the weights of the lanes of queues that have some, by the lanes' names; lanes share what their queue has
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

  /** How many slots are free. */
  get free(): number {
    return this.#paused ? 0 : Math.max(0, this.#free);
  }

  /** Gives no slots from now on. */
  pause(): void {
    this.#paused = true;
  }

  /** Gives slots again. */
  resume(): void {
    this.#paused = false;
    this.#serve(performance.now());
  }

  /** How many slots this queue could take now. */
  freeFor(queue: string): number {
    return this.#freeFor(this.#shareOf(queue), performance.now());
  }

  /** Takes a slot for a queue, as soon as it is that queue's turn. Resolves to false if `signal` aborts before. */
  async take(queue: string, signal?: AbortSignal): Promise<boolean> {
    if (signal?.aborted) return false;
    if (this.takeFree(queue, 1) === 1) return true;
    const { line, typicalMs } = this.#shareOf(queue);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const given = (): boolean => {
      resolve(true);
      return false;
    };
    const giveUp = (): void => {
      line.remove(queue, given);
      resolve(false);
    };
    line.add(queue, given, typicalMs);
    signal?.addEventListener('abort', giveUp, { once: true });
    this.#recheckLater(performance.now());
    return promise.finally(() => signal?.removeEventListener('abort', giveUp));
  }

  /**
   * Takes a slot for a message that is here already: one that is free, or that comes within a second. If none is expected
   * so soon, it does not wait at all. Resolves to undefined if there is none, or `signal` aborts.
   */
  async takeSoon(queue: string, signal?: AbortSignal): Promise<Slot | undefined> {
    if (signal?.aborted) return undefined;
    if (this.takeFree(queue, 1) === 1) return new Slot(this, queue);
    if (this.#expectedMs(performance.now(), 0) > MAX_WAIT_MS) return undefined;
    const late = new AbortController();
    const giveUp = (): void => late.abort();
    const timer = setTimeout(giveUp, MAX_WAIT_MS);
    signal?.addEventListener('abort', giveUp, { once: true });
    const taken = await this.take(queue, late.signal).finally(() => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
    });
    return taken ? new Slot(this, queue) : undefined;
  }

  /**
   * Waits for slots in a queue's turn and keeps those that come, at most `most`, until they are taken.
   *
   * For a receiver that expects more messages than it is receiving: if it waited only afterwards, slots that come free in
   * the meantime would all go to other queues, whatever they have used.
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
    share.line.add(queue, given, share.typicalMs);
    this.#recheckLater(nowMs);
    return {
      first,
      take: () => {
        share.line.remove(queue, given);
        resolve();
        return gathered;
      },
    };
  }

  /** Takes as many slots as this queue can have at once, at most `most`. Returns how many, possibly none. */
  takeFree(queue: string, most: number): number {
    const nowMs = performance.now();
    const share = this.#shareOf(queue);
    this.#limitCredit(share, nowMs);
    const taken = Math.min(this.#freeFor(share, nowMs), most);
    if (taken > 0) this.#give(share, queue, taken, nowMs);
    return taken;
  }

  /** Takes slots whether or not they are free; those that are not are taken as soon as they are given back. */
  takeAnyway(queue: string, slots: number): void {
    this.#give(this.#shareOf(queue), queue, slots, performance.now());
  }

  /** Gives back slots that no task has run in. */
  giveBack(queue: string, slots = 1): void {
    this.#takeBack(this.#shareOf(queue), queue, slots, performance.now());
  }

  /** Gives back the slot of a task that ran for so long. */
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
    const share = newShare(weight, new LaneLine(lanes, this.total));
    this.#shares.add(share);
    for (const lane of lanes.keys()) this.#shareByName.set(lane, share);
    return share;
  }

  /** A queue that asks for less than its share has little credit for that, or none, lest it shuts the others out later. */
  #limitCredit(share: Share, nowMs: number): void {
    if (share.line.length > 0) return;
    charge(share, nowMs);
    const creditMs = share.held > 0 ? (MAX_CREDIT_MS * this.total) / share.weight : 0;
    share.usedMs = Math.max(share.usedMs, this.#virtualMs - creditMs);
  }

  #give(share: Share, queue: string, slots: number, nowMs: number): void {
    charge(share, nowMs);
    this.#virtualMs = Math.max(this.#virtualMs, share.usedMs);
    this.#lastChangeAtMs = nowMs;
    share.held += slots;
    share.line.take(queue, slots, share.typicalMs);
    this.#free -= slots;
  }

  #takeBack(share: Share, queue: string, slots: number, nowMs: number): void {
    charge(share, nowMs);
    share.held -= slots;
    share.line.giveBack(queue, slots);
    this.#free += slots;
    this.#serve(nowMs);
  }

  #serve(nowMs: number): void {
    while (this.free > 0) {
      const next = this.#next(nowMs);
      const queue = next?.line.next(next.typicalMs);
      if (!next || queue === undefined) return this.#recheckLater(nowMs);
      this.#give(next, queue, 1, nowMs);
      next.line.serve(queue);
    }
  }

  /** The queue whose turn it is. */
  #next(nowMs: number): Share | undefined {
    let next: Share | undefined;
    let leastMs = Infinity;
    for (const share of this.#shares) {
      if (share.line.length === 0 || this.#freeFor(share, nowMs) === 0) continue;
      charge(share, nowMs);
      // What runs is counted as if it had ended, or all slots that come free at one moment would go to one queue
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

  /** Until when one slot is kept from a queue that holds some; a time that is past if none is. */
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
   * After how long the next slot is expected back, by how long tasks have taken.
   *
   * @param unknownMs - what tasks of a queue are taken to last of which none has ended yet
   */
  #expectedMs(nowMs: number, unknownMs: number): number {
    let perMs = 0;
    for (const { held, typicalMs } of this.#shares)
      if (held > 0) perMs += held / (typicalMs > 0 ? typicalMs : unknownMs);
    return Math.max(1 / perMs, nowMs - this.#lastChangeAtMs);
  }

  /** A slot that is kept becomes free for those who wait without anything happening. */
  #recheckLater(nowMs: number): void {
    if (this.#recheck || this.free === 0) return;
    let untilMs = Infinity;
    for (const share of this.#shares)
      if (share.line.length > 0) untilMs = Math.min(untilMs, this.#keptUntilMs(share, nowMs));
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

function newShare(weight: number, line: LaneLine): Share {
  return { weight, line, held: 0, usedMs: 0, countedAtMs: 0, typicalMs: 0, lastTaskAtMs: -Infinity };
}

function isActive({ held, line, lastTaskAtMs }: Share, nowMs: number): boolean {
  return held > 0 || line.length > 0 || lastTaskAtMs + RECENT_MS > nowMs;
}

function charge(share: Share, nowMs: number): void {
  share.usedMs += (share.held * (nowMs - share.countedAtMs)) / share.weight;
  share.countedAtMs = nowMs;
}
