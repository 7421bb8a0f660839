import { constants, fstatSync, openSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { LogOutput, type LogOutputOptions, type LogOutputState } from './log-output.ts';

const STDOUT = 1;
/** How long the end of a process may wait for whoever reads its last lines. */
const EXIT_FLUSH_MS = 500;

let output: LogOutput | undefined;

/**
 * The one output of this process's logs to standard output: a file, pipe, socket or terminal. What waits to be written
 * when the process exits is written then, for at most 500 ms.
 *
 * @param options - of the first call; later calls give the same output
 */
export function standardOutput(options: Pick<LogOutputOptions, 'service' | 'format'>): LogOutput {
  if (output) return output;
  const made = new LogOutput({ ...options, fd: withoutBlocking() });
  process.on('exit', () => made.flush(EXIT_FLUSH_MS));
  if (isMainThread) surviveFailures();
  output = made;
  return made;
}

/** What writes past the logs, as a handler's `console.log` does, must not end the process where writing fails. */
function surviveFailures(): void {
  for (const stream of [process.stdout, process.stderr]) {
    // Copies of this module share the streams: each of Jest's test files has one
    const ignored = stream.listeners('error').some(({ name }) => name === ignoreFailure.name);
    if (!ignored) stream.on('error', ignoreFailure);
  }
}

function ignoreFailure(): void {}

/** Writes what waits to be written to standard output, for at most so many milliseconds, in which nothing else runs. */
export function flushLogs(limitMs: number): void {
  output?.flush(limitMs);
}

/** How the output of this process's logs is doing; undefined if nothing logs to standard output. */
export function logState(): LogOutputState | undefined {
  return output?.state;
}

/**
 * A descriptor of standard output whose writes do not block. Files are written as they are: a full disk answers at once.
 * A pipe or terminal is opened once more, because the flag O_NONBLOCK counts for all processes that share an opened file.
 * A socket cannot be opened again; Node sets the flag for it.
 */
function withoutBlocking(): number {
  if (fstatSync(STDOUT).isFile()) return STDOUT;
  try {
    const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;
    return openSync(`/proc/self/fd/${STDOUT}`, O_WRONLY | O_NONBLOCK | O_NOCTTY);
  } catch {
    // No Linux, a socket, or a pipe of another user's
    if (isMainThread) void process.stdout;
    return STDOUT;
  }
}
