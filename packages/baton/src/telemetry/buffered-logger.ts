// A logger that writes many lines in one system call.
import { type DestinationStream, symbols } from 'pino';
import type { Logger } from './logger.ts';

type LoggerOfStream = Logger & { [symbols.streamSym]: DestinationStream };

/** The buffers that hold lines. */
const waiting = new Set<LineBuffer>();
// Runs before the output's own listener, which waits a moment for a slow reader
process.prependListener('exit', () => {
  for (const lines of waiting) lines.flush();
});

/**
 * Makes a logger that writes its lines together at the end of the event loop's turn, to where `logger` writes. Use it for
 * many lines of little weight, each of which would be a system call. A killed process loses the lines of its last turn.
 */
export function bufferedLogger(logger: Logger): Logger {
  const own = logger.child({}) as LoggerOfStream;
  own[symbols.streamSym] = new LineBuffer(own[symbols.streamSym]);
  return own;
}

class LineBuffer implements DestinationStream {
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
