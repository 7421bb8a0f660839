/** The room for running tasks in a worker. Whoever waits for a slot gets one in the order of asking. */
export class Slots {
  readonly total: number;
  #taken = 0;
  #waiting: (() => void)[] = [];

  /** @param total - how many tasks may run at one time, at least 1 */
  constructor(total: number) {
    this.total = total;
  }

  /** How many tasks could start now. */
  get free(): number {
    return this.total - this.#taken;
  }

  /** Takes a slot, as soon as there is one. */
  async take(): Promise<void> {
    while (this.free === 0) await this.#nextFree();
    this.#taken += 1;
  }

  /** Gives a slot back that was taken. */
  giveBack(): void {
    this.#taken -= 1;
    this.#waiting.shift()?.();
  }

  /** Resolves once there is a free slot; it may be gone again when the caller asks for it. */
  async whenFree(): Promise<void> {
    if (this.free > 0) return;
    await this.#nextFree();
    // Only a look was taken: the slot is for whoever waits next
    if (this.free > 0) this.#waiting.shift()?.();
  }

  #nextFree(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    return promise;
  }
}
