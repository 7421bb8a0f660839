import { randomUUID } from 'node:crypto';
import { TaskError, TaskNotDueError } from '../task/errors.ts';
import type { DeadLetterReason } from '../task/dead-letter-reason.ts';
import { type DeadLetterOutcome, OLD_MESSAGE_SECONDS, type Outcome } from '../task/outcome.ts';
import { equalJitter } from '../time/backoff.ts';
import { putBackBy } from '../sqs/put-back.ts';
import { listenersOf } from '../send/end-listeners.ts';
import type { ReceivedMessage } from '../sqs/received-message.ts';
import { type ForwardTask, TaskContinuation } from '../send/task-continuation.ts';
import type { FlowEnd } from '../task/next-task.ts';
import type { Claim, ClaimRequest, ReceiveLog, TaskTracker } from '../run/task-tracker.ts';
import type { KeptTask } from '../send/task-records.ts';
import type { Logger } from '../telemetry/logger.ts';
import { formatTraceparent } from '../telemetry/trace-context.ts';
import { endIn, failureOf } from './conclusion.ts';
import { StoredClaim } from './stored-claim.ts';
import type { TaskRow } from './task-row.ts';
import type { TaskStore } from './task-store.ts';
import { claimsGivenUp, unconcluded } from '../sqs/copy-notes.ts';

/** A message whose task cannot be claimed rests for a quarter of its age between these, of which up to half is chance. */
const SHORTEST_REST_SECONDS = 10;
const LONGEST_REST_SECONDS = 600;

/** A tracked task is being run elsewhere at this moment. */
export class TaskRunningError extends TaskError {
  override readonly name = 'TaskRunningError';
}

/** What a tracker needs. */
export interface StoreTrackerOptions {
  readonly store: TaskStore;
  /** Sends the next step of a chain, and what those are told who listen to an end. */
  readonly forward: ForwardTask;
  /** How long a claim lasts unless it is renewed, in seconds; it is renewed after a third of that. */
  readonly leaseSeconds: number;
  readonly logger: Logger;
}

/** Runs tracked tasks by the task store. */
export class StoreTracker implements TaskTracker {
  readonly #options: StoreTrackerOptions;
  readonly #continuation: TaskContinuation;

  constructor(options: StoreTrackerOptions) {
    this.#options = options;
    options.store.clock.reportTo(options.logger);
    const { store, forward, logger } = options;
    this.#continuation = new TaskContinuation(store, forward, (error, { taskId, task }) =>
      logger.error({ taskId, task, error }, 'the end of a task is not told: too many tasks led to it'),
    );
  }

  get receives(): ReceiveLog {
    return this.#options.store.receives;
  }

  async claim(asked: ClaimRequest): Promise<Claim | Outcome> {
    const { message, envelope, contract, queue, owner, signal: hold, graceSeconds } = asked;
    const { store, leaseSeconds, logger } = this.#options;
    const { taskId, task, trace, parentId, subject, depth } = envelope;
    const claimId = randomUUID();
    const askedAtMs = performance.now();
    const putBack = putBackBy(message, envelope);
    let mayStand: readonly string[] = [];
    try {
      const request = {
        taskId,
        task,
        queue,
        claimId,
        owner,
        leaseSeconds,
        traceparent: trace && formatTraceparent(trace),
        parentId,
        subject,
        depth,
        onEnd: listenersOf(contract),
        sentAtMs: putBack.sentAtMs,
      };
      const known = await this.#givenUp(message, taskId);
      mayStand = [...(known?.claimId === undefined ? [] : [known.claimId]), claimId];
      let row = await (known ? store.attempts.resume(request, known) : store.attempts.claim(request));
      if (isDead(row)) {
        const revived = await store.revive(taskId, putBack);
        if (revived) logger.info({ taskId, task }, 'a dead letter was put back: its task begins anew');
        // Where it was not: the answer of a write that was made may have been lost
        row = await store.attempts.claim(request);
      }
      mayStand = [];
      if (row?.state !== 'running' || row.claimId !== claimId) return await this.#unclaimed(taskId, row);
      const line = logger.child({ taskId, task });
      const claim = new StoredClaim({
        store,
        continuation: this.#continuation,
        row,
        claimId,
        leaseSeconds,
        askedAtMs,
        hold,
        graceSeconds,
        logger: line,
      });
      const { flowEnd } = envelope;
      if (!flowEnd || row.next || row.groupId !== undefined) return claim;
      // Not to be run: what it would do may have been done, and be lost as well
      return await claim.conclude(await this.#outcomeOfLost(message, taskId, flowEnd));
    } catch (error) {
      logger.warn({ taskId, task, error }, 'task could not be claimed; its message comes back');
      const release = this.#releaseOf(message, error as Error);
      // The answer may be all that is lost
      return mayStand.length > 0 ? unconcluded(release, mayStand) : release;
    }
  }

  /** The task's row, when it stands as an attempt that was given up before this message was sent again. */
  async #givenUp(message: ReceivedMessage, taskId: string): Promise<TaskRow | undefined> {
    const claimIds = claimsGivenUp(message);
    if (claimIds.length === 0) return undefined;
    const row = await this.#options.store.read(taskId);
    return row?.state === 'running' && claimIds.includes(row.claimId ?? '') ? row : undefined;
  }

  async giveUp(
    { message, envelope }: Pick<ClaimRequest, 'message' | 'envelope'>,
    outcome: DeadLetterOutcome,
  ): Promise<Outcome> {
    const { store, leaseSeconds, logger } = this.#options;
    const { taskId, task } = envelope;
    try {
      const claims = { leaseSeconds, givenUp: claimsGivenUp(message) };
      const row = await store.giveUp(taskId, failureOf(outcome.error, outcome.reason), claims);
      if (row) await this.#follow(row);
      const known = row ? undefined : await store.read(taskId);
      if (known) return await this.#unclaimed(taskId, known);
      return row ? { ...outcome, end: endIn(row) } : outcome;
    } catch (error) {
      logger.warn({ taskId, task, error }, 'task could not be given up; its message comes back');
      return this.#releaseOf(message, error as Error);
    }
  }

  /** The outcome of a message whose task has lost what it is to lead to. */
  async #outcomeOfLost(message: ReceivedMessage, taskId: string, flowEnd: FlowEnd): Promise<Outcome> {
    try {
      const { error, end } = await this.#continuation.lose(taskId, flowEnd);
      if (end) await this.#follow(end);
      return { kind: 'dead-letter', reason: 'flow-lost', error };
    } catch (error) {
      return this.#releaseOf(message, error as Error);
    }
  }

  #releaseOf({ sentAtMs }: ReceivedMessage, error: Error): Extract<Outcome, { kind: 'release' }> {
    return { kind: 'release', error, delaySeconds: restSeconds(this.#options.store.clock.nowMs - sentAtMs) };
  }

  now(): Promise<number> {
    return this.#options.store.now();
  }

  /** What becomes of a message whose task is not to be run now. */
  async #unclaimed(taskId: string, row: TaskRow | undefined): Promise<Outcome> {
    switch (row?.state) {
      case 'succeeded':
      case 'cancelled':
        await this.#follow(row);
        return { kind: 'done', result: undefined };
      case 'failed':
      case 'dead': {
        // Its worker may have died before it set the message aside: better twice in the dead letters than never
        await this.#follow(row);
        const error = new TaskError(row.error?.message ?? `The task ${taskId} is ${row.state}`);
        const reason = (row.error?.reason ?? 'rejected') as DeadLetterReason;
        return { kind: 'dead-letter', reason, error, end: endIn(row) };
      }
      case 'running': {
        const { store, leaseSeconds } = this.#options;
        const leftSeconds = ((row.leaseUntilMs ?? 0) - store.clock.nowMs) / 1000;
        const error = new TaskRunningError(`The task ${taskId} is being run by ${row.owner ?? 'another'}`);
        return {
          kind: 'release',
          error,
          delaySeconds: Math.ceil(Math.max(1, Math.min(leftSeconds, leaseSeconds))),
        };
      }
      case 'queued':
      case 'retrying':
      case undefined:
        return outcomeOfWaiting(taskId, row, this.#options.store.clock.nowMs);
    }
  }

  /**
   * Does what follows from a task's end. Given up 5 days after it: a queue that is gone for good must not have the message
   * come back for longer than its row is kept, after which the task would be run again.
   */
  async #follow(row: KeptTask): Promise<void> {
    try {
      await this.#continuation.ended(row);
    } catch (error) {
      const { taskId, task, finishedAt, updatedAt } = row;
      const endedAtMs = Date.parse(finishedAt ?? updatedAt);
      if (this.#options.store.clock.nowMs - endedAtMs < OLD_MESSAGE_SECONDS * 1000) throw error;
      const text = 'what follows from the end of a task could not be sent for 5 days, and is given up';
      this.#options.logger.error({ taskId, task, error }, text);
    }
  }
}

/** The outcome of a task that is not due yet, or that has changed in the moment since its claim was refused. */
function outcomeOfWaiting(taskId: string, row: TaskRow | undefined, nowMs: number): Outcome {
  const { task = '', notBefore = '', nextAttemptAt = '' } = row ?? {};
  // Both are ISO 8601 in UTC, so the later one is the greater text
  const due = notBefore > nextAttemptAt ? notBefore : nextAttemptAt;
  const leftMs = Date.parse(due) - nowMs;
  if (leftMs > 0) {
    const error = new TaskNotDueError(task, due);
    return { kind: 'release', error, delaySeconds: Math.ceil(leftMs / 1000) };
  }
  return { kind: 'release', error: new TaskError(`The task ${taskId} has just changed`), delaySeconds: 1 };
}

/** How long a message rests while the store does not answer: the longer, the longer it has been away. */
function restSeconds(ageMs: number): number {
  const quarter = ageMs / 4000;
  const longest = Math.min(LONGEST_REST_SECONDS, Math.max(SHORTEST_REST_SECONDS, quarter));
  return Math.ceil(equalJitter(longest));
}

function isDead(row: TaskRow | undefined): boolean {
  return row?.state === 'dead' || row?.state === 'failed';
}
