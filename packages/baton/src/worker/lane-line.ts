/** A lane that is busy can catch up on at most this time of its share, in milliseconds. */
const MAX_CREDIT_MS = 10_000;

/** Is given a slot. Says whether it takes more of them; then it stays the first of its lane. */
export type Waiter = () => boolean;

/** What one lane has, and has had, of its queue's slots. */
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
 * Those who wait for a slot of one queue, lane by lane.
 *
 * The next slot goes to the lane that has used least slot time for its weight, except that each lane may be ahead of the
 * next lighter one by a task in every slot. So as many tasks of a lane that was idle wait for no backlog of lighter lanes,
 * only for running tasks to end. After that lanes alternate by weight, so none starves.
 *
 * A lane that comes back from a pause has no credit for it. One that was busy and has used less than its share has some,
 * but none before heavier lanes: or its backlog would go before their first task.
 *
 * Every method that takes `typicalMs` is told how long a task of the queue takes on average; 0 if none has ended yet.
 */
export class LaneLine {
  /** By their queues' names, the heaviest first. */
  readonly #lanes: ReadonlyMap<string, Lane>;
  #length = 0;
  /** The lane that was served last, and when it was due. */
  #served: Lane | undefined;
  #servedDueMs = 0;

  /**
   * @param weights - of the lanes by the names of their queues; of a queue without lanes by its own, with any weight
   * @param slots - how many there are in all
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

  /** How many wait. */
  get length(): number {
    return this.#length;
  }

  /** Waits until it is its turn. */
  add(queue: string, waiter: Waiter, typicalMs: number): void {
    const lane = this.#laneOf(queue);
    if (this.#lanes.size > 1) this.#limitCredit(lane, typicalMs);
    lane.waiting.push(waiter);
    this.#length += 1;
  }

  /** Waits no longer; does nothing if it waits for nothing more. */
  remove(queue: string, waiter: Waiter): void {
    const { waiting } = this.#laneOf(queue);
    const index = waiting.indexOf(waiter);
    if (index < 0) return;
    waiting.splice(index, 1);
    this.#length -= 1;
  }

  /** The lane whose turn it is, by its queue's name; undefined if nobody waits. */
  next(typicalMs: number): string | undefined {
    let next: string | undefined;
    let leastMs = Infinity;
    for (const [queue, lane] of this.#lanes) {
      if (lane.waiting.length === 0) continue;
      const dueMs = dueOf(lane, typicalMs);
      // Of two that are due at once, the heavier one
      if (dueMs >= leastMs) continue;
      next = queue;
      leastMs = dueMs;
    }
    return next;
  }

  /** Gives the slot that a lane has taken to the first of those who wait in it. */
  serve(queue: string): void {
    const [first] = this.#laneOf(queue).waiting;
    if (first && !first()) this.remove(queue, first);
  }

  /** Charges a lane with slots from now on. */
  take(queue: string, slots: number, typicalMs: number): void {
    if (this.#lanes.size === 1) return;
    const lane = this.#laneOf(queue);
    this.#limitCredit(lane, typicalMs);
    this.#served = lane;
    this.#servedDueMs = dueOf(lane, typicalMs);
    lane.held += slots;
    lane.heldSinceMs += slots * performance.now();
  }

  /** Charges a lane with slots no longer. */
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
    throw new RangeError(`${queue} is no lane of this queue: it has ${[...this.#lanes.keys()].join(', ')}`);
  }

  /** Sees to it that a lane for which nobody waited is not due earlier than it should be. */
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

/** How much earlier than another lane's a lane's tasks may be due. */
function aheadMs(lane: Lane, other: Lane | undefined, typicalMs: number): number {
  return Math.max(0, lane.ahead - (other?.ahead ?? 0)) * (typicalMs || 1);
}

/** What the tasks that a lane runs will have used, or have if they took longer than tasks do. */
function runningMs({ held, heldSinceMs, weight }: Lane, typicalMs: number): number {
  if (held === 0) return 0;
  // Before the first task has ended, any time will do
  return Math.max(held * (typicalMs || 1), held * performance.now() - heldSinceMs) / weight;
}
