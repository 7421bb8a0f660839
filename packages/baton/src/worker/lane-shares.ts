// Shares the slots of one queue among its lanes.

/** The most time of its share that a busy lane can catch up on, in milliseconds. */
const MAX_CREDIT_MS = 10_000;

/** Receives a slot. Returns whether it takes more; then it stays the first of its lane. */
export type Waiter = () => boolean;

/** The slots that one lane holds and has used. */
interface Lane {
  readonly weight: number;
  /** How far it may be ahead of the lightest lane, in tasks divided by weight. */
  readonly ahead: number;
  readonly waiting: Waiter[];
  /** Slots that it holds now. */
  held: number;
  /** The sum of the times since when it holds them, by `performance.now()`. */
  heldSinceMs: number;
  /** Slot time that it used before, divided by its weight. */
  usedMs: number;
}

/**
 * Decides which lane of a queue gets the next slot.
 *
 * The next slot goes to the lane that has used the least slot time for its weight. But each lane may be ahead of the next
 * lighter one by one task in every slot. So the first tasks of a lane that was idle wait only for running tasks to end, not
 * for a backlog of lighter lanes. After that the lanes alternate by weight, so none starves.
 *
 * A lane that was idle has no credit for that time. A busy lane that has used less than its share has some credit, but
 * never more than heavier lanes: otherwise its backlog would run before their first task.
 *
 * The parameter `typicalMs` of the methods is the average duration of the queue's tasks; 0 before the first has ended.
 */
export class LaneShares {
  /** By the names of their queues, the heaviest first. */
  readonly #lanes: ReadonlyMap<string, Lane>;
  #waiting = 0;
  /** The lane that was served last, and when it was due then. */
  #served: Lane | undefined;
  #servedDueMs = 0;

  /**
   * @param weights - the lanes' weights by the names of their queues; for a queue without lanes one entry, with any weight
   * @param slots - the number of all slots
   */
  constructor(weights: ReadonlyMap<string, number>, slots: number) {
    let ahead = 0;
    let lighter: number | undefined;
    const ascending = [...weights].toSorted(([, one], [, other]) => one - other);
    const lanes = ascending.map(([queue, weight]): [string, Lane] => {
      if (lighter !== undefined && weight > lighter) ahead += slots / weight;
      lighter = weight;
      return [queue, { weight, ahead, waiting: [], held: 0, heldSinceMs: 0, usedMs: 0 }];
    });
    this.#lanes = new Map(lanes.toReversed());
  }

  /** How many waiters there are. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Adds a waiter to a lane. */
  add(queue: string, waiter: Waiter, typicalMs: number): void {
    const lane = this.#laneOf(queue);
    if (this.#lanes.size > 1) this.#limitCredit(lane, typicalMs);
    lane.waiting.push(waiter);
    this.#waiting += 1;
  }

  /** Removes a waiter. Does nothing if it does not wait. */
  remove(queue: string, waiter: Waiter): void {
    const { waiting } = this.#laneOf(queue);
    const index = waiting.indexOf(waiter);
    if (index < 0) return;
    waiting.splice(index, 1);
    this.#waiting -= 1;
  }

  /** The name of the queue of the lane whose turn it is. Undefined if nobody waits. */
  next(typicalMs: number): string | undefined {
    let next: string | undefined;
    let leastMs = Infinity;
    for (const [queue, lane] of this.#lanes) {
      if (lane.waiting.length === 0) continue;
      const dueMs = dueOf(lane, typicalMs);
      // Of two lanes that are due at the same time, the heavier one
      if (dueMs >= leastMs) continue;
      next = queue;
      leastMs = dueMs;
    }
    return next;
  }

  /** Gives a slot that a lane has taken to its first waiter. */
  serve(queue: string): void {
    const [first] = this.#laneOf(queue).waiting;
    if (first && !first()) this.remove(queue, first);
  }

  /** Charges a lane for slots from now on. */
  take(queue: string, slots: number, typicalMs: number): void {
    if (this.#lanes.size === 1) return;
    const lane = this.#laneOf(queue);
    this.#limitCredit(lane, typicalMs);
    this.#served = lane;
    this.#servedDueMs = dueOf(lane, typicalMs);
    lane.held += slots;
    lane.heldSinceMs += slots * performance.now();
  }

  /** Stops charging a lane for slots. */
  giveBack(queue: string, slots: number): void {
    if (this.#lanes.size === 1 || slots === 0) return;
    const lane = this.#laneOf(queue);
    // Which of its slots they are makes no difference to the sum
    const sinceMs = (slots * lane.heldSinceMs) / lane.held;
    lane.usedMs += (slots * performance.now() - sinceMs) / lane.weight;
    lane.held -= slots;
    lane.heldSinceMs = lane.held === 0 ? 0 : lane.heldSinceMs - sinceMs;
  }

  #laneOf(queue: string): Lane {
    const lane = this.#lanes.get(queue);
    if (lane) return lane;
    throw new RangeError(`Unknown lane ${queue}: expected one of ${[...this.#lanes.keys()].join(', ')}`);
  }

  /** Takes the credit from a lane that had no waiters, so that it is not due earlier than it should be. */
  #limitCredit(lane: Lane, typicalMs: number): void {
    if (lane.waiting.length > 0) return;
    let heaviestMs = -Infinity;
    let heavierMs = Infinity;
    let lighterMs = Infinity;
    for (const other of this.#lanes.values()) {
      if (other === lane) continue;
      const isHeavier = other.ahead > lane.ahead;
      const dueMs = dueOf(other, typicalMs);
      if (isHeavier) heaviestMs = Math.max(heaviestMs, dueMs);
      if (other.waiting.length === 0) continue;
      if (isHeavier) heavierMs = Math.min(heavierMs, dueMs);
      else lighterMs = Math.min(lighterMs, dueMs - aheadMs(lane, other, typicalMs));
    }
    let startMs = heavierMs < Infinity ? heavierMs : lighterMs;
    if (startMs === Infinity) startMs = this.#servedDueMs - aheadMs(lane, this.#served, typicalMs);
    if (lane.held > 0) startMs -= Math.min(MAX_CREDIT_MS, Math.max(0, startMs - heaviestMs));
    lane.usedMs += Math.max(0, startMs - dueOf(lane, typicalMs));
  }
}

function dueOf(lane: Lane, typicalMs: number): number {
  return lane.usedMs + runningMs(lane, typicalMs) - lane.ahead * (typicalMs || 1);
}

/** How much earlier a lane's tasks may be due than another lane's. */
function aheadMs(lane: Lane, other: Lane | undefined, typicalMs: number): number {
  return Math.max(0, lane.ahead - (other?.ahead ?? 0)) * (typicalMs || 1);
}

/** The slot time of a lane's running tasks: the expected time, or the time that they have used if that is longer. */
function runningMs({ held, heldSinceMs, weight }: Lane, typicalMs: number): number {
  if (held === 0) return 0;
  // Any duration will do before the first task has ended
  return Math.max(held * (typicalMs || 1), held * performance.now() - heldSinceMs) / weight;
}
