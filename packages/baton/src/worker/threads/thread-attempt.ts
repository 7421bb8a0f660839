// One attempt, in the thread that runs its handler.
import { checkedResult, receivedPayload } from '../../task/contract-values.ts';
import { type Effect } from '../../task/effect.ts';
import { effectOf } from '../../run/effects.ts';
import { RejectTask } from '../../task/errors.ts';
import type { Implementation, Implementations, TaskContext } from '../../task/implementation.ts';
import { toJson } from '../../task/json-value.ts';
import { fromPlain, toPlain } from '../../task/plain-error.ts';
import { attemptContext, RunningAttempt } from '../../run/running-attempt.ts';
import type { SendTask } from '../../task/send-task.ts';
import type { TaskContract } from '../../task/task.ts';
import type { Progress } from '../../task/progress.ts';
import { createLogger, type Logger } from '../../telemetry/logger.ts';
import { readThrown } from '../../telemetry/thrown.ts';
import { ThreadClaim } from './thread-claim.ts';
import { sayLine } from './thread-guard.ts';
import type { FromThread, ThreadAnswer, ThreadTask, ToThread } from './thread-task.ts';

/** Runs the handler of one attempt in this thread, and reports to the worker through the task's port. */
export class ThreadAttempt {
  readonly #task: ThreadTask;
  readonly #send: SendTask;
  readonly #claim: ThreadClaim;
  readonly #running: RunningAttempt;
  readonly #abort = new AbortController();
  #isDecided = false;
  #isClosed = false;
  /** The number of effects and sends that have started and not ended. */
  #underWay = 0;
  #isLetGo = false;
  /** Called when no effect or send is under way any more, or the worker has released the thread. */
  #onChange: (() => void) | undefined;

  /** @param send - sends what the handler sends */
  constructor(task: ThreadTask, send: SendTask) {
    this.#task = task;
    this.#send = send;
    this.#claim = new ThreadClaim(task.port, task.name);
    this.#running = new RunningAttempt(task.name, task.receive, (error) => this.#fail(error));
    task.port.on('message', (message: ToThread) => this.#hear(message));
  }

  /**
   * Runs the handler and reports how it ended. Resolves once the thread is free for another task: its effects and sends
   * have ended too, or the worker has released the thread.
   *
   * @param earlier - how many handlers this thread has started before
   */
  async run(implementations: Implementations, earlier: number): Promise<void> {
    this.#say({ kind: 'begins', earlier });
    const answer = await this.#answer(implementations);
    this.#isDecided = true;
    this.#running.end();
    this.#say(answer);
    while (this.#underWay > 0 && !this.#isLetGo) await this.#change();
    if (this.#underWay === 0) this.#close();
    else void this.#closeLater();
  }

  async #answer(implementations: Implementations): Promise<ThreadAnswer> {
    try {
      const implementation = implementations.find(this.#task.name.task);
      if (!implementation)
        throw new Error(
          `The threadEntry has no implementation of ${this.#task.name.task}: expected those of the worker`,
        );
      const result = await attemptContext.run(this.#running, async () => this.#handle(implementation));
      // Only at the end of the turn does the thread learn of promises that the handler's last step left rejected
      await new Promise(setImmediate);
      return { kind: 'result', json: resultJson(implementation.contract, result) };
    } catch (error) {
      return { kind: 'failure', error: toPlain(error) };
    }
  }

  #handle({ contract, run }: Implementation): unknown {
    const { context, tracked } = this.#task;
    const whole: TaskContext = {
      ...context,
      signal: this.#abort.signal,
      logger: this.#logger(),
      send: this.#gatedSend,
      ...(tracked && { progress: this.#progress, effect: this.#effect() }),
    };
    // The worker has checked the same data. The parsed payload may not be transferable to a thread
    return run(receivedPayload(contract, this.#task.data), whole);
  }

  readonly #gatedSend: SendTask = async (contract, payload, options) => {
    const { trace, depth, context } = this.#task;
    const ended = this.#begins();
    try {
      await this.#claim.gate(`the send of ${contract.name}`);
      return await this.#send(contract, payload, { trace, parentId: context.taskId, depth, ...options });
    } finally {
      ended();
    }
  };

  readonly #progress = (progress: Progress): void => {
    if (!this.#isDecided && !this.#abort.signal.aborted) this.#claim.progress(progress);
  };

  #effect(): Effect {
    return effectOf(this.#claim, this.#task.name, this.#claim.gate, () => this.#begins());
  }

  /** Sends log lines to the worker, because two writers to one output would mix their lines. */
  #logger(): Logger {
    const { level, fields } = this.#task.log;
    const { service, ...own } = fields;
    const write = (line: string): void =>
      this.#isClosed ? sayLine(line) : this.#say({ kind: 'line', line });
    return createLogger({ service: String(service), level, to: { write } }).child(own);
  }

  #hear(message: ToThread): void {
    if (message.kind === 'abort') this.#aborts(fromPlain(message.reason));
    if (message.kind !== 'let-go') return;
    this.#isLetGo = true;
    this.#onChange?.();
  }

  /** Fails the attempt with an uncaught error of its handler. Returns false if it had to end already. */
  #fail(error: Error): boolean {
    if (this.#abort.signal.aborted) return false;
    this.#say({ kind: 'stray', error: toPlain(error) });
    this.#aborts(error);
    return true;
  }

  /** Aborts the handler's signal. Its listeners belong to the attempt. */
  #aborts(reason: Error): void {
    attemptContext.run(this.#running, () => this.#abort.abort(reason));
  }

  /** Records that an effect or a send starts. @returns a function that records its end */
  #begins(): () => void {
    if (this.#underWay === 0) this.#say({ kind: 'under-way', isUnderWay: true });
    this.#underWay += 1;
    return () => {
      this.#underWay -= 1;
      if (this.#underWay > 0) return;
      this.#say({ kind: 'under-way', isUnderWay: false });
      this.#onChange?.();
    };
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#onChange = resolve;
    });
  }

  #close(): void {
    this.#isClosed = true;
    this.#claim.close();
  }

  /** Closes the port of a thread that was released. The worker closes all other ports. */
  async #closeLater(): Promise<void> {
    while (this.#underWay > 0) await this.#change();
    this.#close();
    this.#task.port.close();
  }

  #say(message: FromThread): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port between threads has no origin
    this.#task.port.postMessage(message);
  }
}

/**
 * Checks a result as the worker would, and returns its JSON. Returns an empty text if the task is not tracked and the
 * result has no JSON, because nothing is kept of it.
 *
 * @throws the errors of `checkedResult`
 */
function resultJson(contract: TaskContract, result: unknown): string {
  const data = checkedResult(contract, result);
  try {
    return toJson(data);
  } catch (error) {
    if (!contract.tracked) return '';
    throw new RejectTask(`The result of ${contract.name} is not JSON: ${readThrown(error).message}`);
  }
}
