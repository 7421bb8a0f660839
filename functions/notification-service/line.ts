/** Nobody else can wait. */
export class LineFullError extends Error {
  override readonly name = 'LineFullError';
}

/** Room for some at one time, and a line of those that wait for it, first come, first served. */
export class Line {
  readonly #longest: number;
  readonly #waiting = new Set<() => void>();
  #room: number;

  /**
   * @param room - how many at one time
   * @param longest - how many may wait
   */
  constructor(room: number, longest: number) {
    this.#room = room;
    this.#longest = longest;
  }

  /** Takes room; each `take` that resolves needs its `giveBack`. @throws LineFullError, or the signal's reason when it aborts */
  async take(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#room > 0) {
      this.#room -= 1;
      return;
    }
    if (this.#waiting.size >= this.#longest) throw new LineFullError(`${this.#longest} are waiting already`);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = (): void => {
      if (this.#waiting.delete(resolve)) reject(signal.reason as Error);
    };
    this.#waiting.add(resolve);
    signal.addEventListener('abort', leave, { once: true });
    await promise.finally(() => signal.removeEventListener('abort', leave));
  }

  /** Gives room back, to the first who waits. */
  giveBack(): void {
    const [next] = this.#waiting;
    if (!next) this.#room += 1;
    else if (this.#waiting.delete(next)) next();
  }
}
