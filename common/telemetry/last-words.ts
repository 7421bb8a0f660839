import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { createLogger, type Logger } from './logger.ts';

const STDOUT = 1;
/** A reader that takes nothing must not keep a process from ending. */
const PATIENCE_MS = 500;
const REST_MS = 5;

/**
 * Writes a line of level `fatal` to standard output before it returns, with the logger's own fields: what a process
 * says when it is about to end, and may not come to write what is buffered. Gives up after half a second. The logger's
 * level does not matter.
 */
export function writeLastWords(logger: Logger, fields: object, message: string): void {
  const { service, ...own } = logger.bindings();
  createLogger({ service: String(service), level: 'fatal', to: { write: writeNow } })
    .child(own)
    .fatal(fields, message);
}

function writeNow(line: string): void {
  const file = openNonBlocking();
  const untilMs = performance.now() + PATIENCE_MS;
  let left = Buffer.from(line);
  try {
    while (left.length > 0 && performance.now() < untilMs)
      left = left.subarray(written(file ?? STDOUT, left));
  } catch {
    // Nobody reads it any more
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** How much of it was written; nothing while the pipe is full. @throws Error when it is broken */
function written(file: number, bytes: Buffer): number {
  try {
    return writeSync(file, bytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, REST_MS);
    return 0;
  }
}

/** Standard output opened again so that a full pipe does not block, where the system can do that (Linux, no sockets). */
function openNonBlocking(): number | undefined {
  try {
    return openSync(
      `/proc/self/fd/${STDOUT}`,
      constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK,
    );
  } catch {
    return undefined;
  }
}
