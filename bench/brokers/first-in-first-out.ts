/** With fewer taken items, moving the rest is not worth it. */
const MIN_MOVED = 1024;

/** A queue whose `shift` costs the same at any length. The `shift` of an array moves all remaining items. */
export class FirstInFirstOut<Each> {
  #items: (Each | undefined)[] = [];
  /** Taken items that are still in the array. */
  #taken = 0;

  /** Number of items. */
  get length(): number {
    return this.#items.length - this.#taken;
  }

  /** Adds an item at the end. */
  push(item: Each): void {
    this.#items.push(item);
  }

  /** Takes the first item; undefined if it is empty. */
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

  /** All items, from the first on. */
  *[Symbol.iterator](): Generator<Each> {
    yield* this.#items.slice(this.#taken) as Each[];
  }
}
