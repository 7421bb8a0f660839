import { type DestinationStream, symbols } from 'pino';
import type { Logger } from './logger.ts';

type LoggerOfStream = Logger & { [symbols.streamSym]: DestinationStream };

/** Those that have lines to write. */
const waiting = new Set<GatheredLines>();
// Before the output's own, which waits a moment for a slow reader
process.prependListener('exit', () => {
  for (const lines of waiting) lines.flush();
});

/**
 * A logger whose lines are written together at the end of the event loop's turn, to where `logger` writes: for many
 * lines of little weight, each of which would be a system call. A process that is killed loses those of its last turn.
 */
export function gathering(logger: Logger): Logger {
  const own = logger.child({}) as LoggerOfStream;
  own[symbols.streamSym] = new GatheredLines(own[symbols.streamSym]);
  return own;
}

class GatheredLines implements DestinationStream {
  readonly #to: DestinationStream;
  #lines = '';

  constructor(to: DestinationStream) {
    this.#to = to;
  }

  write(line: string): void {
    if (this.#lines === '') {
      waiting.add(this);
      setImmediate(() => this.flush());
    }
    this.#lines += line;
  }

  flush(): void {
    if (this.#lines === '') return;
    waiting.delete(this);
    const lines = this.#lines;
    this.#lines = '';
    this.#to.write(lines);
  }
}
