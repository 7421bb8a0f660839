import type { Writable } from 'node:stream';

/** An output whose reader may go away before all is written, as `head` does. */
export class Output {
  readonly #stream: Writable;
  #error: NodeJS.ErrnoException | undefined;

  constructor(stream: Writable) {
    this.#stream = stream;
    stream.on('error', (error) => (this.#error ??= error));
  }

  /** Whether nothing more can be written. */
  get ended(): boolean {
    return this.#error !== undefined;
  }

  /** Why not all was written; nothing if all was, or if the reader wanted no more. */
  get trouble(): Error | undefined {
    return this.#error?.code === 'EPIPE' ? undefined : this.#error;
  }

  /** Writes a line, if it can. */
  line(text: string): void {
    if (!this.ended) this.#stream.write(`${text}\n`);
  }
}
