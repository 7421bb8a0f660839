// Standard output as the output of a process's logs.
import { constants, fstatSync, openSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { LogOutput, type LogOutputOptions, type LogOutputState } from './log-output.ts';

const STDOUT = 1;
/** How long the end of a process waits for a reader of its last lines. */
const EXIT_FLUSH_MS = 500;

let output: LogOutput | undefined;

/**
 * Returns the process's one log output to standard output, which may be a file, pipe, socket or terminal. When the
 * process exits, lines that wait are written for at most 500 ms.
 *
 * @param options - used by the first call; later calls return the same output
 */
export function standardOutput(options: Pick<LogOutputOptions, 'service' | 'format'>): LogOutput {
  if (output) return output;
  const made = new LogOutput({ ...options, fd: withoutBlocking() });
  process.on('exit', () => made.flush(EXIT_FLUSH_MS));
  if (isMainThread) surviveFailures();
  output = made;
  return made;
}

/** Keeps the process alive if a write past the logger fails, such as a handler's `console.log`. */
function surviveFailures(): void {
  for (const stream of [process.stdout, process.stderr]) {
    // Several copies of this module may share the streams: each Jest test file has its own
    const ignored = stream.listeners('error').some(({ name }) => name === ignoreFailure.name);
    if (!ignored) stream.on('error', ignoreFailure);
  }
}

function ignoreFailure(): void {}

/**
 * Writes the lines that wait for standard output. Blocks the process meanwhile.
 *
 * @param limitMs - the longest time that this takes, in milliseconds
 */
export function flushLogs(limitMs: number): void {
  output?.flush(limitMs);
}

/** The state of the process's log output; undefined if nothing logs to standard output. */
export function logState(): LogOutputState | undefined {
  return output?.state;
}

/**
 * Returns a descriptor of standard output whose writes do not block. A file needs nothing: a full disk answers at once.
 * A pipe or terminal is opened again, because O_NONBLOCK applies to all processes that share an open file. A socket cannot
 * be opened again, so Node sets the flag for it.
 */
function withoutBlocking(): number {
  if (fstatSync(STDOUT).isFile()) return STDOUT;
  try {
    const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;
    return openSync(`/proc/self/fd/${STDOUT}`, O_WRONLY | O_NONBLOCK | O_NOCTTY);
  } catch {
    // Not Linux, a socket, or another user's pipe
    if (isMainThread) void process.stdout;
    return STDOUT;
  }
}
