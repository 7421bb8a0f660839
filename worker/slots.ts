interface Claim {
  readonly weight: number;
  /** How much this claimant has had, in slots divided by its weight. */
  served: number;
  readonly waiting: (() => void)[];
}

/**
 * The room for running tasks in a worker, shared among its queues. While there is room, whoever asks gets it; while
 * there is none, the next slot goes to the queue that has had least for its weight, so that none starves.
 */
export class Slots {
  readonly total: number;
  #free: number;
  readonly #claims = new Map<string, Claim>();

  /**
   * @param total - how many tasks may run at one time, at least 1
   * @param weights - by queue, at least 1; a queue that is not named has 1
   */
  constructor(total: number, weights: ReadonlyMap<string, number> = new Map()) {
    this.total = total;
    this.#free = total;
    for (const [queue, weight] of weights) this.#claims.set(queue, { weight, served: 0, waiting: [] });
  }

  /** How many tasks could start now. */
  get free(): number {
    return this.#free;
  }

  /** Takes a slot for a queue, as soon as it is that queue's turn. Resolves to false where `signal` aborts before. */
  async take(queue: string, signal?: AbortSignal): Promise<boolean> {
    if (signal?.aborted) return false;
    if (this.takeFree(queue, 1) === 1) return true;
    const { waiting } = this.#returned(queue);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const given = (): void => resolve(true);
    const giveUp = (): void => {
      waiting.splice(waiting.indexOf(given), 1);
      resolve(false);
    };
    waiting.push(given);
    signal?.addEventListener('abort', giveUp, { once: true });
    return promise.finally(() => signal?.removeEventListener('abort', giveUp));
  }

  /** Takes as many slots as are free, at most `most`; none where there are none. */
  takeFree(queue: string, most: number): number {
    const taken = Math.min(this.#free, most);
    this.#free -= taken;
    const claim = this.#claimOf(queue);
    claim.served += taken / claim.weight;
    return taken;
  }

  /** Gives slots back that were taken: straight to whoever's turn it is. */
  giveBack(slots = 1): void {
    for (let slot = 0; slot < slots; slot += 1) {
      const claim = this.#nextWaiting();
      if (!claim) {
        this.#free += 1;
        continue;
      }
      claim.served += 1 / claim.weight;
      claim.waiting.shift()?.();
    }
  }

  #claimOf(queue: string): Claim {
    let claim = this.#claims.get(queue);
    if (!claim) {
      claim = { weight: 1, served: this.#leastServed(), waiting: [] };
      this.#claims.set(queue, claim);
    }
    return claim;
  }

  /** A queue that comes back from a pause has no credit for it, or it would keep the others waiting. */
  #returned(queue: string): Claim {
    const claim = this.#claimOf(queue);
    if (claim.waiting.length === 0) claim.served = Math.max(claim.served, this.#leastServed());
    return claim;
  }

  #nextWaiting(): Claim | undefined {
    const waiting = [...this.#claims.values()].filter((claim) => claim.waiting.length > 0);
    return waiting.reduce<Claim | undefined>(
      (next, claim) => (next && next.served <= claim.served ? next : claim),
      undefined,
    );
  }

  #leastServed(): number {
    const waiting = [...this.#claims.values()].filter((claim) => claim.waiting.length > 0);
    return waiting.length === 0 ? 0 : Math.min(...waiting.map(({ served }) => served));
  }
}
