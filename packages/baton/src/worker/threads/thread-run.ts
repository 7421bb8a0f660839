// A handler that runs in a thread, seen from the worker.
import { TaskError } from '../../task/errors.ts';
import { once } from 'node:events';
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { fromJson } from '../../task/json-value.ts';
import { fromPlain, toPlain } from '../../task/plain-error.ts';
import type { HandlerRun, ThreadedAttempt } from '../../run/threads.ts';
import { writeLine } from '../../telemetry/logger.ts';
import { answerAsk } from './thread-claim.ts';
import type {
  FromThread,
  ThreadAnswer,
  ThreadAsk,
  ThreadSender,
  ThreadTask,
  ToThread,
} from './thread-task.ts';

/** How long the termination of a handler waits for its effects and sends that are under way. */
const SPARED_MS = 30_000;

/** A thread ended before its handler did, for example because it ran out of memory or never started. */
export class ThreadEndedError extends TaskError {
  override readonly name = 'ThreadEndedError';
}

/** Provides threads. */
export interface ThreadSource {
  /**
   * Runs a task in a thread, and terminates the thread when `kill` aborts. Resolves once the thread is free again.
   *
   * @param thread - `new` for a thread that has run nothing before
   */
  run(task: ThreadTask, thread: 'any' | 'new', kill: AbortSignal): Promise<void>;
  /**
   * Records that a handler has ended while its effects or sends keep the thread.
   *
   * @param letGo - releases the thread nevertheless
   * @param free - resolves once the thread is free
   */
  lingers(letGo: () => void, free: Promise<unknown>): void;
}

/** Runs a handler in a thread, and acts on its messages. */
export class ThreadRun implements HandlerRun {
  readonly ended: Promise<unknown>;
  readonly #attempt: ThreadedAttempt;
  readonly #source: ThreadSource;
  readonly #kill = new AbortController();
  /** How many handlers the thread had started before. Undefined until this one starts. */
  #earlier: number | undefined;
  /** The keys of effects whose start is recorded. The thread may have died since. */
  readonly #begunEffects = new Set<string>();
  #isUnderWay = false;
  /** Tells the attempt that its effects have ended, or that their thread has. */
  #effectsEnd: (() => void) | undefined;
  #onNoneUnderWay: (() => void) | undefined;
  #answer: ThreadAnswer | undefined;
  readonly #lingers = Promise.withResolvers<undefined>();

  constructor(attempt: ThreadedAttempt, sender: ThreadSender, source: ThreadSource) {
    this.#attempt = attempt;
    this.#source = source;
    this.ended = this.#run(sender);
  }

  /**
   * Terminates the thread. Waits for the handler's effects and sends that are under way, for at most 30 s, because an
   * effect that was cut off would run again.
   */
  readonly terminate = (): void => {
    const kill = (): void => this.#kill.abort();
    if (!this.#isUnderWay) {
      kill();
      return;
    }
    this.#onNoneUnderWay = kill;
    setTimeout(kill, SPARED_MS).unref();
  };

  async #run(sender: ThreadSender): Promise<unknown> {
    let cause = await this.#runIn('any', sender);
    if (!this.#answer && this.#isSpared) {
      this.#attempt.context.logger.warn({ error: cause }, 'its thread ended: it runs again in a new thread');
      cause = await this.#runIn('new', sender);
    }
    if (this.#answer?.kind === 'result') return fromJson(this.#answer.json);
    if (this.#answer) throw fromPlain(this.#answer.error);
    const { task } = this.#attempt;
    throw new ThreadEndedError(`The thread of ${task} ended without an answer: ${cause?.message}`, { cause });
  }

  /** Whether the handler gets another try: if its thread had run other handlers before, one of them may be at fault. */
  get #isSpared(): boolean {
    return this.#earlier !== 0 && !this.#kill.signal.aborted && !this.#attempt.context.signal.aborted;
  }

  /** Resolves once the handler has ended; to the reason if its thread ended first. */
  async #runIn(thread: 'any' | 'new', sender: ThreadSender): Promise<Error | undefined> {
    const { port1: port, port2: itsPort } = new MessageChannel();
    const { signal } = this.#attempt.context;
    this.#earlier = undefined;
    this.#isUnderWay = false;
    const abort = (): void => this.#tell(port, { kind: 'abort', reason: toPlain(signal.reason) });
    port.on('message', (message: FromThread) => this.#receive(message, port));
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    const free = this.#free(
      port,
      itsPort,
      this.#source.run(this.#taskWith(itsPort, sender), thread, this.#kill.signal),
    );
    void this.#lingers.promise.then(() =>
      this.#source.lingers(() => this.#tell(port, { kind: 'let-go' }), free),
    );
    try {
      return await Promise.race([free, this.#lingers.promise]);
    } finally {
      this.#effectsEnd?.();
      signal.removeEventListener('abort', abort);
    }
  }

  /** Resolves once the thread is free and all its messages have arrived; to the reason if it ended. */
  async #free(port: MessagePort, itsPort: MessagePort, running: Promise<void>): Promise<Error | undefined> {
    const closed = once(port, 'close');
    const error = await running.then(
      () => undefined,
      (thrown: Error) => thrown,
    );
    // The thread has sent everything, but the events of this port may arrive after those of the pool's port
    for (let next = receiveMessageOnPort(port); next; next = receiveMessageOnPort(port))
      this.#receive(next.message as FromThread, port);
    if (!error && this.#isUnderWay) {
      // It was released: it reports the end of its effects, and then closes the port itself
      port.unref();
      return undefined;
    }
    // A terminated thread closes its port when it is gone, so wait for that. A thread that never started has left its
    // port here
    if (this.#kill.signal.aborted) itsPort.close();
    else port.close();
    await closed;
    return error ?? new Error('its answer could not be read');
  }

  #taskWith(port: MessagePort, sender: ThreadSender): ThreadTask {
    const { data, depth, trace, context, claim, running } = this.#attempt;
    const { taskId, attempt, maxAttempts, worker, logger } = context;
    return {
      name: running.name,
      receive: running.receive,
      data,
      depth,
      trace,
      context: { taskId, attempt, maxAttempts, worker, token: claim?.token },
      log: { level: logger.level, fields: logger.bindings() },
      sender,
      tracked: claim !== undefined,
      port,
    };
  }

  #receive(message: FromThread, port: MessagePort): void {
    const { progress, context, running } = this.#attempt;
    switch (message.kind) {
      case 'line':
        writeLine(context.logger, message.line);
        break;
      case 'begins':
        this.#earlier = message.earlier;
        break;
      case 'under-way':
        this.#isUnderWay = message.isUnderWay;
        this.#effectsEnd?.();
        this.#effectsEnd = this.#isUnderWay ? this.#attempt.effectBegins() : undefined;
        if (!this.#isUnderWay) this.#onNoneUnderWay?.();
        break;
      case 'stray':
        running.fail(fromPlain(message.error));
        break;
      case 'progress':
        progress?.(message.progress);
        break;
      case 'result':
      case 'failure':
        this.#answer = message;
        if (this.#isUnderWay) this.#lingers.resolve(undefined);
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
      const known = await answerAsk(question, this.#attempt);
      if (question.kind === 'begin-effect') this.#begunEffects.add(question.key);
      const isInDoubt = question.kind === 'find-effect' && this.#begunEffects.has(question.key);
      this.#tell(port, { kind: 'answer', ask, known: known ?? (isInDoubt ? 'in doubt' : undefined) });
    } catch (error) {
      this.#tell(port, { kind: 'refusal', ask, error: toPlain(error) });
    }
  }

  #tell(port: MessagePort, message: ToThread): void {
    port.postMessage(message);
  }
}
