import { once } from 'node:events';
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { fromPlain, toPlain } from '@baton/common/queue/plain-error';
import type { HandlerRun, ThreadedAttempt } from '@baton/common/queue/threads';
import { writeLine } from '@baton/common/telemetry/logger';
import { answerAsk } from './thread-claim.ts';
import type { FromThread, ThreadAsk, ThreadSender, ThreadTask, ToThread } from './thread-task.ts';

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
  #answer: Extract<FromThread, { kind: 'result' | 'failure' }> | undefined;

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
    const abort = (): void => this.#tell(port, { kind: 'abort', reason: toPlain(context.signal.reason) });
    port.on('message', (message: FromThread) => this.#receive(message, port));
    context.signal.addEventListener('abort', abort, { once: true });
    if (context.signal.aborted) abort();
    const cause = await run(this.#taskWith(itsPort, sender), this.#kill.signal).then(
      () => new Error('its answer could not be read'),
      (error: Error) => error,
    );
    context.signal.removeEventListener('abort', abort);
    // The thread has said all, but this port's events may come later than those of the pool's own
    for (let next = receiveMessageOnPort(port); next; next = receiveMessageOnPort(port))
      this.#receive(next.message as FromThread, port);
    // A thread that was terminated closes its port when it is gone, which is what to wait for; one that never began has
    // left its port here
    if (this.#kill.signal.aborted) itsPort.close();
    else port.close();
    await closed;
    if (this.#answer?.kind === 'result') return this.#answer.result;
    if (this.#answer) throw fromPlain(this.#answer.error);
    throw new ThreadEndedError(`The thread of ${task} ended without an answer: ${cause.message}`, { cause });
  }

  #taskWith(port: MessagePort, sender: ThreadSender): ThreadTask {
    const { task, data, depth, trace, context } = this.#attempt;
    const { taskId, attempt, maxAttempts, worker, logger } = context;
    const log = { level: logger.level, fields: logger.bindings() };
    const { claim } = this.#attempt;
    const tracked = claim !== undefined;
    return {
      task,
      data,
      depth,
      trace,
      context: { taskId, attempt, maxAttempts, worker, token: claim?.token },
      log,
      sender,
      tracked,
      port,
    };
  }

  #receive(message: FromThread, port: MessagePort): void {
    const { progress, context } = this.#attempt;
    switch (message.kind) {
      case 'line':
        writeLine(context.logger, message.line);
        break;
      case 'progress':
        progress?.(message.progress);
        break;
      case 'result':
      case 'failure':
        this.#answer = message;
        break;
      case 'pass':
      case 'find-effect':
      case 'begin-effect':
      case 'keep-effect':
        void this.#answerAsk(message, port);
    }
  }

  async #answerAsk(question: ThreadAsk & { readonly ask: number }, port: MessagePort): Promise<void> {
    const { ask } = question;
    try {
      this.#tell(port, { kind: 'answer', ask, known: await answerAsk(question, this.#attempt) });
    } catch (error) {
      this.#tell(port, { kind: 'refusal', ask, error: toPlain(error) });
    }
  }

  #tell(port: MessagePort, message: ToThread): void {
    port.postMessage(message);
  }
}
