// An amount of memory that several takers share.
import { getHeapStatistics } from 'node:v8';

/** The part of the heap's limit that one room has. */
const PART_OF_HEAP = 1 / 8;

/** An eighth of the memory that Node allows this process's heap, in bytes. It follows the memory of a container. */
export function partOfHeapBytes(): number {
  return Math.floor(getHeapStatistics().heap_size_limit * PART_OF_HEAP);
}

/**
 * Limits how many bytes its takers hold at one time. Waiting takers get bytes in their order. A taker that wants more than
 * there are gets them while nobody else holds any.
 */
export class Room {
  readonly #totalBytes: number;
  readonly #waiting = new Set<{ readonly bytes: number; readonly given: () => void }>();
  #heldBytes = 0;

  /** @param totalBytes - default: no limit */
  constructor(totalBytes = Infinity) {
    this.#totalBytes = totalBytes;
  }

  /** The bytes that are free now. */
  get freeBytes(): number {
    return Math.max(0, this.#totalBytes - this.#heldBytes);
  }

  /** Takes bytes if they are free and nobody waits. Returns whether it did. */
  take(bytes: number): boolean {
    if (this.#waiting.size > 0 || !this.#fits(bytes)) return false;
    this.#heldBytes += bytes;
    return true;
  }

  /** Takes bytes once they are free. Resolves to false if `signal` aborts first. */
  async takeLater(bytes: number, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return false;
    if (this.take(bytes)) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const waiting = { bytes, given: () => resolve(true) };
    const leave = (): void => {
      if (!this.#waiting.delete(waiting)) return;
      resolve(false);
      this.#serve();
    };
    this.#waiting.add(waiting);
    signal.addEventListener('abort', leave, { once: true });
    return promise.finally(() => signal.removeEventListener('abort', leave));
  }

  /** Takes bytes even if they are not free. Later takers wait until they are given back. */
  takeAnyway(bytes: number): void {
    this.#heldBytes += bytes;
  }

  /** Gives bytes back. */
  giveBack(bytes: number): void {
    this.#heldBytes -= bytes;
    this.#serve();
  }

  #fits(bytes: number): boolean {
    return this.#heldBytes === 0 || this.#heldBytes + bytes <= this.#totalBytes;
  }

  #serve(): void {
    for (const each of this.#waiting) {
      if (!this.#fits(each.bytes)) return;
      this.#waiting.delete(each);
      this.#heldBytes += each.bytes;
      each.given();
    }
  }
}
