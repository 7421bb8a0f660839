/** The room for running tasks in a worker. Whoever waits gets a slot in the order of asking. */
export class Slots {
  readonly total: number;
  #free: number;
  readonly #waiting: (() => void)[] = [];

  /** @param total - how many tasks may run at one time, at least 1 */
  constructor(total: number) {
    this.total = total;
    this.#free = total;
  }

  /** How many tasks could start now. */
  get free(): number {
    return this.#free;
  }

  /** Takes a slot, as soon as there is one. */
  async take(): Promise<void> {
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    await promise;
  }

  /** Gives a slot back that was taken: straight to whoever waits longest. */
  giveBack(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free += 1;
  }

  /** Resolves once there is a slot to be had; another may take it first. */
  async whenFree(): Promise<void> {
    if (this.#free > 0) return;
    await this.take();
    this.giveBack();
  }
}
