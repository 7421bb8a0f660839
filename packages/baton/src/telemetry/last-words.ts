import type { Logger } from './logger.ts';
import { flushLogs } from './standard-output.ts';

/** How long a reader that stalls may keep a process from ending. */
const FLUSH_MS = 500;

/**
 * Writes a line of level `fatal`, and all that waits to be written before it, before it returns: what a process says when
 * it is about to end. Gives up after half a second.
 */
export function writeLastWords(logger: Logger, fields: object, message: string): void {
  logger.fatal(fields, message);
  flushLogs(FLUSH_MS);
}
