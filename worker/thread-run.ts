import { once } from 'node:events';
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { HandlerRun, ThreadedAttempt } from '@baton/common/queue/threads';
import { writeLine } from '@baton/common/telemetry/logger';
import { fromCrossing, toCrossing } from './crossing-error.ts';
import type { FromThread, ThreadSender, ThreadTask, ToThread } from './thread-task.ts';

/** A thread ended before its handler did: the handler ended the thread, ran out of memory, or the thread never began. */
export class ThreadEndedError extends Error {
  override readonly name = 'ThreadEndedError';
}

/** Runs a task in some thread, and ends that thread when `kill` aborts. Resolves when the thread is free again. */
export type RunInThread = (task: ThreadTask, kill: AbortSignal) => Promise<void>;

/** A handler that runs in a thread, seen from the worker. */
export class ThreadRun implements HandlerRun {
  readonly ended: Promise<unknown>;
  readonly #attempt: ThreadedAttempt;
  readonly #kill = new AbortController();
  #answer: Exclude<FromThread, { kind: 'line' }> | undefined;

  constructor(attempt: ThreadedAttempt, sender: ThreadSender, run: RunInThread) {
    this.#attempt = attempt;
    this.ended = this.#run(sender, run);
  }

  /** Ends the thread with the handler in it. */
  readonly terminate = (): void => this.#kill.abort();

  async #run(sender: ThreadSender, run: RunInThread): Promise<unknown> {
    const { port1: port, port2: itsPort } = new MessageChannel();
    const { task, context } = this.#attempt;
    const closed = once(port, 'close');
    const abort = (): void => port.postMessage(toCrossing(context.signal.reason) satisfies ToThread);
    port.on('message', (message: FromThread) => this.#receive(message));
    context.signal.addEventListener('abort', abort, { once: true });
    if (context.signal.aborted) abort();
    const cause = await run(this.#taskWith(itsPort, sender), this.#kill.signal).then(
      () => new Error('its answer could not be read'),
      (error: Error) => error,
    );
    context.signal.removeEventListener('abort', abort);
    // The thread has said all, but this port's events may come later than those of the pool's own
    for (let next = receiveMessageOnPort(port); next; next = receiveMessageOnPort(port))
      this.#receive(next.message as FromThread);
    // A thread that was terminated closes its port when it is gone, which is what to wait for; one that never began has
    // left its port here
    if (this.#kill.signal.aborted) itsPort.close();
    else port.close();
    await closed;
    if (this.#answer?.kind === 'result') return this.#answer.result;
    if (this.#answer) throw fromCrossing(this.#answer.error);
    throw new ThreadEndedError(`The thread of ${task} ended without an answer: ${cause.message}`, { cause });
  }

  #taskWith(port: MessagePort, sender: ThreadSender): ThreadTask {
    const { task, data, trace, context } = this.#attempt;
    const { taskId, attempt, maxAttempts, worker, logger } = context;
    const log = { level: logger.level, fields: logger.bindings() };
    return { task, data, trace, context: { taskId, attempt, maxAttempts, worker }, log, sender, port };
  }

  #receive(message: FromThread): void {
    if (message.kind === 'line') writeLine(this.#attempt.context.logger, message.line);
    else this.#answer = message;
  }
}
