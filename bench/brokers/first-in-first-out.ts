/** Shorter lists are not worth moving. */
const MIN_MOVED = 1024;

/** A list that is taken from at its beginning, at the same cost however long it is: an array moves all that is left. */
export class FirstInFirstOut<Each> {
  #items: (Each | undefined)[] = [];
  /** So many were taken. */
  #taken = 0;

  /** How many it holds. */
  get length(): number {
    return this.#items.length - this.#taken;
  }

  /** Adds one at the end. */
  push(item: Each): void {
    this.#items.push(item);
  }

  /** Takes the first; undefined where there is none. */
  shift(): Each | undefined {
    if (this.length === 0) return undefined;
    const item = this.#items[this.#taken];
    this.#items[this.#taken] = undefined;
    this.#taken++;
    if (this.#taken >= MIN_MOVED && this.#taken * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#taken);
      this.#taken = 0;
    }
    return item;
  }

  /** All that it holds, from the first on. */
  *[Symbol.iterator](): Generator<Each> {
    yield* this.#items.slice(this.#taken) as Each[];
  }
}
