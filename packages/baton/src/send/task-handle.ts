// The handle of a tracked task.
import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import { ResultTimeoutError, TaskCancelledError, TaskFailedError } from '../task/errors.ts';
import type { CancelOptions, ResultOptions, TaskHandle } from '../task/send-task.ts';
import type { TrackedContract } from '../task/task.ts';
import { isFinal, type TaskStatus } from '../task/task-status.ts';
import { type TaskRecords } from './task-records.ts';
import { isTransient } from '../aws/answers.ts';

const FIRST_LOOK_MS = 50;
const LONGEST_LOOK_MS = 2000;
const LOOK_GROWTH = 1.5;
const DEFAULT_TIMEOUT_SECONDS = 30;

/** The handle of a tracked task, by its row in the task store. */
export class KeptTaskHandle<Result extends z.ZodType = z.ZodType> implements TaskHandle<Result> {
  readonly taskId: string;
  readonly #contract: TrackedContract<z.ZodType, Result>;
  readonly #records: TaskRecords;
  readonly #cancel: (options?: CancelOptions) => Promise<TaskStatus | undefined>;

  /** @param cancel - cancels the task; for the handle of a chain or group, all its tasks */
  constructor(
    records: TaskRecords,
    contract: TrackedContract<z.ZodType, Result>,
    taskId: string,
    cancel: (options?: CancelOptions) => Promise<TaskStatus | undefined>,
  ) {
    this.#records = records;
    this.#contract = contract;
    this.taskId = taskId;
    this.#cancel = cancel;
  }

  status(): Promise<TaskStatus | undefined> {
    return this.#records.find(this.taskId);
  }

  async result({ timeoutSeconds = DEFAULT_TIMEOUT_SECONDS, signal }: ResultOptions = {}): Promise<
    z.output<Result>
  > {
    if (!Number.isFinite(timeoutSeconds) || timeoutSeconds < 0)
      throw new RangeError(`Invalid timeoutSeconds: expected 0 or more seconds, got ${timeoutSeconds}`);
    const untilMs = performance.now() + timeoutSeconds * 1000;
    for (let lookMs = FIRST_LOOK_MS; ; lookMs = Math.min(LONGEST_LOOK_MS, lookMs * LOOK_GROWTH)) {
      const { status, trouble } = await this.#look();
      if (status && isFinal(status.state)) return this.#resultOf(status);
      const leftMs = untilMs - performance.now();
      if (leftMs <= 0)
        throw new ResultTimeoutError(this.taskId, timeoutSeconds, status?.state ?? 'unknown', {
          cause: trouble,
        });
      await (this.#records.waitForChange?.(this.taskId) ??
        sleep(Math.min(lookMs, leftMs), undefined, { signal }));
    }
  }

  cancel(options?: CancelOptions): Promise<TaskStatus | undefined> {
    return this.#cancel(options);
  }

  /** Reads the status. If the store is unavailable, resolves to its error, because the wait continues. */
  async #look(): Promise<{ status?: TaskStatus | undefined; trouble?: unknown }> {
    try {
      return { status: await this.status() };
    } catch (error) {
      if (!isTransient(error)) throw error;
      return { trouble: error };
    }
  }

  #resultOf({ taskId, state, result, error }: TaskStatus): z.output<Result> {
    if (state === 'succeeded') return this.#contract.result.parse(result);
    if (state === 'cancelled') throw new TaskCancelledError(taskId);
    const {
      name,
      message,
      reason = state,
    } = error ?? { name: 'Error', message: 'the task store has no error' };
    throw new TaskFailedError(taskId, { name, message, reason });
  }
}
