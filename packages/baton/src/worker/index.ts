// The entry `baton-tasks/worker`: a worker as a process, as a thread and as a function.

/** main.ts: a process that polls queues. First, so that signals count from the start. */
export { runWorker, type WorkerProcess } from './run-worker.ts';
/** thread.ts: a thread that runs handlers of the isolation `thread`. */
export { threadEntry, type ThreadEntry } from './threads/thread-entry.ts';
/** lambda.ts: the same implementations as a function. */
export { createWorkerFunction, type WorkerFunction } from './worker-function.ts';
