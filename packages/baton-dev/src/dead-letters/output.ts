// Standard output whose reader may end early.
import type { Writable } from 'node:stream';
import { printableLines } from '../terminal/printable.ts';

/** An output whose reader may end before everything is written, as `head` does. */
export class Output {
  readonly #stream: Writable;
  #error: NodeJS.ErrnoException | undefined;

  constructor(stream: Writable) {
    this.#stream = stream;
    stream.on('error', (error) => (this.#error ??= error));
  }

  /** Whether the output is closed. */
  get ended(): boolean {
    return this.#error !== undefined;
  }

  /** Why not everything was written. undefined if everything was, or if the reader ended. */
  get trouble(): Error | undefined {
    return this.#error?.code === 'EPIPE' ? undefined : this.#error;
  }

  /** Writes a line, unless the output is closed. A terminal obeys no character in it. */
  line(text: string): void {
    if (!this.ended) this.#stream.write(`${printableLines(text)}\n`);
  }
}
