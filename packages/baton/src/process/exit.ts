// Ends the process, even if one of its threads is blocked.
import { flushCompileCache } from 'node:module';
import type { Worker } from 'node:worker_threads';

/** The exit status of a process that could not stop in time, as of GNU `timeout`. */
export const LATE_EXIT_CODE = 124;

/** Requests in libuv's threads, such as a DNS lookup whose name server does not answer. */
const IN_POOL = /^(?:FSReq|GetAddrInfoReq|GetNameInfoReq)/;

const threads = new Set<Worker>();
process.on('worker', (thread) => {
  threads.add(thread);
  thread.once('exit', () => threads.delete(thread));
});

/**
 * Ends the process with a status, without fail. `process.exit` waits for every thread, and a thread that is blocked in a
 * system call never ends. So while threads run, the process replaces itself with a program that exits with the
 * status at once. Listeners of `exit` are called first.
 *
 * @param status - default: `process.exitCode`, else 0
 */
export function exitProcess(status = Number(process.exitCode ?? 0)): never {
  const busy = threads.size > 0 || process.getActiveResourcesInfo().some((name) => IN_POOL.test(name));
  if (!busy || !process.execve) process.exit(status);
  process.emit('exit', status);
  flushCompileCache();
  return process.execve(process.execPath, [process.execPath, '--eval', `process.exit(${status})`], {});
}

/**
 * Ends the process with status 124 if it has not ended in time. Does not keep it alive.
 *
 * @param limitMs - the time from now, in milliseconds
 * @param onLate - called right before the end, for a last log line
 */
export function exitWithin(limitMs: number, onLate: () => void): void {
  setTimeout(() => {
    onLate();
    exitProcess(LATE_EXIT_CODE);
  }, limitMs).unref();
}
