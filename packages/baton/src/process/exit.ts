import { flushCompileCache } from 'node:module';
import type { Worker } from 'node:worker_threads';

/** The status of a process that could not stop in its time: that of GNU's `timeout`. */
export const LATE_EXIT_CODE = 124;

/** What runs in libuv's threads, such as the look-up of a host whose name server does not answer. */
const IN_POOL = /^(?:FSReq|GetAddrInfoReq|GetNameInfoReq)/;

const threads = new Set<Worker>();
process.on('worker', (thread) => {
  threads.add(thread);
  thread.once('exit', () => threads.delete(thread));
});

/**
 * Ends the process with a status, and surely: `process.exit` waits for every thread, and one that is blocked in a system
 * call never ends. If threads are at work, the process becomes another program, which ends with that status at once.
 * Listeners of `exit` are called first.
 *
 * @param status - default: `process.exitCode`, or else 0
 */
export function exitProcess(status = Number(process.exitCode ?? 0)): never {
  const busy = threads.size > 0 || process.getActiveResourcesInfo().some((name) => IN_POOL.test(name));
  if (!busy || !process.execve) process.exit(status);
  process.emit('exit', status);
  flushCompileCache();
  return process.execve(process.execPath, [process.execPath, '--eval', `process.exit(${status})`], {});
}

/**
 * Ends the process with status 124 if it has not ended by itself within a time. Does not keep it alive.
 *
 * @param limitMs - the time, from now on, in milliseconds
 * @param onLate - called before: for a last line in the log
 */
export function exitWithin(limitMs: number, onLate: () => void): void {
  setTimeout(() => {
    onLate();
    exitProcess(LATE_EXIT_CODE);
  }, limitMs).unref();
}
