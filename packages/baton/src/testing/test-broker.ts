// A broker, a task store and a worker in memory.
import { type AttemptName, currentAttempt } from '../run/running-attempt.ts';
import { processMessage } from '../run/process-message.ts';
import type { Processing } from '../run/processing.ts';
import type { TaskClient } from '../send/task-client.ts';
import { Settler } from '../sqs/settler.ts';
import type { Implementation } from '../task/implementation.ts';
import { laneOfQueue, queueWithoutLane } from '../task/lane.ts';
import { nextTick, tickTaskId, tickTime } from '../task/schedule.ts';
import type { SendTask } from '../task/send-task.ts';
import { isScheduled, type ScheduledContract } from '../task/task.ts';
import { isFinal, type TaskStatus } from '../task/task-status.ts';
import { type LogLine, MemoryBackend, WORKER_ID } from './memory-backend.ts';
import type { MemoryMessage } from './memory-sqs.ts';
import { type TaskOutcome, taskOutcome } from './task-outcome.ts';

const DEFAULT_MAX_ATTEMPTS = 10_000;
const DEFAULT_GRACE_SECONDS = 1;
const DEAD_LETTERS = /-dlq$/;

/** Configures a broker for tests. */
export interface TestBrokerOptions {
  /** The implementations of the broker's worker. Other tasks stay in their queues. */
  readonly implementations: readonly Implementation[];
  /** The time of the broker's clock. Default: now. */
  readonly now?: Date;
  /** The most attempts of one call: tasks that send each other for ever fail a test. Default 10,000. */
  readonly maxAttempts?: number;
  /** How long a handler may continue after its signal aborted, in seconds. Default 1. */
  readonly abortGraceSeconds?: number;
}

/** A task that waits in a queue. */
export interface QueuedTask {
  /** The name of its contract. */
  readonly task: string;
  readonly taskId: string;
  readonly payload: unknown;
  /** The queue of its contract. */
  readonly queue: string;
  /** Undefined in the default lane. */
  readonly lane: string | undefined;
  /** When it can run, by the broker's clock. */
  readonly dueAt: Date;
}

/** A task in a dead-letter queue. */
export interface DeadLetterTask {
  /** The name of its contract. */
  readonly task: string;
  readonly taskId: string;
  readonly payload: unknown;
  /** The queue that it came from. */
  readonly queue: string;
  /** Why it became a dead letter, such as `rejected`. */
  readonly reason: string;
  readonly error: { readonly name: string; readonly message: string };
  readonly attempts: number;
}

/** An attempt that the broker's worker has made. */
export interface AttemptedTask {
  /** The name of its contract. */
  readonly task: string;
  readonly taskId: string;
  readonly attempt: number;
  readonly payload: unknown;
  readonly outcome: TaskOutcome;
}

/**
 * Runs tasks, and all that they cause, in memory, by the rules of a real worker.
 * Retries, delays, chains, groups and listeners take no time, because the broker has a clock of its own and sets it
 * forward to the next task that is due. Tasks run one after the other, in the order in which they are due.
 *
 * Nothing runs until you call `runAll`, `runDue` or `advance`, or wait for the result of a task, which calls `runAll`.
 * Handlers run in real time, and so do their time limits. Do not use it with fake timers.
 *
 * @example
 * const broker = new TestBroker({ implementations: [countWordsTask] });
 * const counting = await broker.tasks.send(countWords, { text: 'one two' });
 * await expect(counting.result()).resolves.toEqual({ words: 2 });
 * expect(broker.queued).toMatchObject([{ task: 'letters.send' }]);
 */
export class TestBroker {
  /** The task client, for code that sends tasks. */
  readonly tasks: TaskClient;
  readonly #clock: { nowMs: number };
  readonly #backend: MemoryBackend;
  readonly #processing: Processing;
  readonly #scheduled: readonly ScheduledContract[];
  readonly #maxAttempts: number;
  readonly #attempts: AttemptedTask[] = [];
  #running: Promise<unknown> = Promise.resolve();

  /** @throws TypeError if two implementations share a name */
  constructor({ implementations, now = new Date(), ...options }: TestBrokerOptions) {
    const { maxAttempts = DEFAULT_MAX_ATTEMPTS, abortGraceSeconds = DEFAULT_GRACE_SECONDS } = options;
    const clock = { nowMs: now.getTime() };
    const waitForEnd = (taskId: string) => this.#runFor(taskId);
    this.#clock = clock;
    this.#maxAttempts = maxAttempts;
    this.#backend = new MemoryBackend({ clock, waitForEnd, abortGraceSeconds });
    this.#processing = this.#backend.processing(implementations);
    this.#scheduled = this.#processing.implementations.contracts.filter(isScheduled);
    this.tasks = this.#backend.tasks;
  }

  /** Sends a task, as `TaskClient.send` does. Resolves to the handle of a tracked task, whose `result()` runs it. */
  get send(): SendTask {
    return this.tasks.send;
  }

  /** The broker's time. */
  get now(): Date {
    return new Date(this.#clock.nowMs);
  }

  /** The tasks that wait in queues, in the order in which they were sent. */
  get queued(): QueuedTask[] {
    return this.#backend.sqs.messages
      .filter(({ queue }) => !DEAD_LETTERS.test(queue))
      .map(({ queue: name, envelope: { task, taskId, data: payload }, visibleAtMs }) => {
        const dueAt = new Date(Math.max(visibleAtMs, this.#clock.nowMs));
        return { task, taskId, payload, queue: queueWithoutLane(name), lane: laneOfQueue(name), dueAt };
      });
  }

  /** The tasks in dead-letter queues, in the order in which they came there. */
  get deadLetters(): DeadLetterTask[] {
    return this.#backend.sqs.messages.filter(({ queue }) => DEAD_LETTERS.test(queue)).map(deadLetterOf);
  }

  /** The attempts that were made so far, in order. */
  get attempts(): readonly AttemptedTask[] {
    return [...this.#attempts];
  }

  /** The lines that were logged so far, in order, at every level. */
  get logs(): readonly LogLine[] {
    return [...this.#backend.logs];
  }

  /** The state of a tracked task. Undefined if there is no such task. */
  status(taskId: string): Promise<TaskStatus | undefined> {
    return this.#backend.store.find(taskId);
  }

  /**
   * Runs all tasks that wait, and all that they cause, until no task waits that the worker implements. Sets the clock
   * forward to each task that is due later. Resolves to the attempts that it made.
   *
   * @throws Error after `maxAttempts`
   */
  runAll(): Promise<AttemptedTask[]> {
    return this.#run(Infinity);
  }

  /** Runs the tasks that are due now, and all that they cause now. Otherwise as `runAll`. */
  runDue(): Promise<AttemptedTask[]> {
    return this.#run(this.#clock.nowMs);
  }

  /**
   * Sets the clock forward. Runs the tasks that become due meanwhile, and sends the ticks of implemented contracts that have
   * a schedule. Otherwise as `runAll`.
   */
  async advance(time: { readonly seconds: number }): Promise<AttemptedTask[]> {
    if (!Number.isFinite(time.seconds) || time.seconds < 0)
      throw new RangeError(`Invalid time of advance: expected 0 or more seconds, got ${time.seconds}`);
    const untilMs = this.#clock.nowMs + time.seconds * 1000;
    const made: AttemptedTask[] = [];
    for (;;) {
      const tick = this.#nextTick(untilMs);
      made.push(...(await this.#run(tick?.at.getTime() ?? untilMs)));
      this.#clock.nowMs = Math.max(this.#clock.nowMs, tick?.at.getTime() ?? untilMs);
      if (!tick) return made;
      const { contract, at } = tick;
      await this.send(contract, {}, { taskId: tickTaskId(contract.name, tickTime(at)), notBefore: at });
    }
  }

  /** The next tick until that time. */
  #nextTick(untilMs: number): { readonly contract: ScheduledContract; readonly at: Date } | undefined {
    const ticks = this.#scheduled.flatMap((contract) => {
      const at = nextTick(contract.schedule, this.now);
      return at && at.getTime() <= untilMs ? [{ contract, at }] : [];
    });
    return ticks.toSorted((one, other) => one.at.getTime() - other.at.getTime())[0];
  }

  /** Runs tasks that are due until then. Calls of a handler, which waits for a task, run at once. Others run in turn. */
  #run(untilMs: number): Promise<AttemptedTask[]> {
    if (currentAttempt()) return this.#runUntil(untilMs);
    const run = this.#running.then(() => this.#runUntil(untilMs));
    this.#running = run.catch(() => undefined);
    return run;
  }

  async #runUntil(untilMs: number): Promise<AttemptedTask[]> {
    const from = this.#attempts.length;
    for (;;) {
      const message = this.#backend.sqs.next((each) => this.#implements(each));
      if (!message || message.visibleAtMs > untilMs) return this.#attempts.slice(from);
      if (this.#attempts.length - from >= this.#maxAttempts)
        throw new Error(
          `The broker has made ${this.#maxAttempts} attempts, the last at ${this.#attempts.at(-1)?.task}, and more tasks wait: expected an end, so tasks may send each other for ever`,
        );
      this.#clock.nowMs = Math.max(this.#clock.nowMs, message.visibleAtMs);
      await this.#attempt(message);
    }
  }

  async #attempt(message: MemoryMessage): Promise<void> {
    const { sqs } = this.#backend;
    const { queue } = message;
    const received = sqs.receive(message);
    let begun: AttemptName | undefined;
    const host = {
      signal: new AbortController().signal,
      outlivedBy: () => undefined,
      runAlone: async () => true,
      begins: (attempt: AttemptName) => {
        begun = attempt;
      },
    };
    const outcome = await processMessage(received, queue, host, this.#processing);
    const settler = new Settler(sqs.client, sqs.queueUrls, queue);
    if (await settler.settleAllButDelete(received, outcome, WORKER_ID)) sqs.delete(message);
    if (!begun) return;
    const { task, taskId, attempt } = begun;
    const { data: payload } = message.envelope;
    this.#attempts.push({ task, taskId, attempt, payload, outcome: taskOutcome(outcome) });
  }

  #implements({ queue, envelope }: MemoryMessage): boolean {
    return !DEAD_LETTERS.test(queue) && this.#processing.implementations.find(envelope.task) !== undefined;
  }

  /** Runs all tasks for a wait for a task's result. @throws Error if the task cannot end */
  async #runFor(taskId: string): Promise<void> {
    const made = await this.runAll();
    const { state = 'queued' } = (await this.status(taskId)) ?? {};
    if (made.length > 0 || isFinal(state)) return;
    const task = this.queued.find((queued) => queued.taskId === taskId)?.task;
    throw new Error(
      task === undefined
        ? `The task ${taskId} cannot end: it is in no queue, and no other task waits`
        : `The task ${taskId} cannot end: expected an implementation of ${task} in the broker`,
    );
  }
}

function deadLetterOf({ queue, envelope, attributes }: MemoryMessage): DeadLetterTask {
  const { task, taskId, data: payload } = envelope;
  const details = JSON.parse(attributes['baton.details']?.StringValue ?? '{}') as {
    readonly error: string;
    readonly message: string;
    readonly attempts: number;
  };
  return {
    task,
    taskId,
    payload,
    queue: queue.replace(DEAD_LETTERS, ''),
    reason: attributes['baton.reason']?.StringValue ?? '',
    error: { name: details.error, message: details.message },
    attempts: details.attempts,
  };
}
