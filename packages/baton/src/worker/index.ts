// What the three entries of a worker's folder call.

/** main.ts: a process that polls queues. First, so that signals are noted from the start. */
export { runWorker, type WorkerProcess } from './run-worker.ts';
/** thread.ts: where handlers of the isolation `thread` run. */
export { threadEntry, type ThreadEntry } from './threads/thread-entry.ts';
/** lambda.ts: the same implementations as a function. */
export { createWorkerFunction } from './worker-function.ts';
