// Tracks tasks in the task store: claims them for attempts, and decides what happens to messages that get no attempt.
import { randomUUID } from 'node:crypto';
import { MismatchError, OutOfTurnError, TaskError } from '../task/errors.ts';
import { queueWithoutLane } from '../task/lane.ts';
import type { DeadLetterReason } from '../task/dead-letter-reason.ts';
import { type DeadLetterOutcome, OLD_MESSAGE_SECONDS, type Outcome } from '../task/outcome.ts';
import { putBackBy } from '../sqs/put-back.ts';
import { listenersOf } from '../send/end-listeners.ts';
import { payloadHashOf } from '../send/prepared-task.ts';
import type { ReceivedMessage } from '../sqs/received-message.ts';
import { type ForwardTask, TaskContinuation } from '../send/task-continuation.ts';
import type { FlowEnd } from '../task/next-task.ts';
import type { ReceiveLog } from '../run/receive-log.ts';
import type { Claim, ClaimRequest, GivenUp, TaskTracker } from '../run/task-tracker.ts';
import { KnownLinks } from '../send/known-links.ts';
import type { KeptTask } from '../send/task-records.ts';
import type { Logger } from '../telemetry/logger.ts';
import { formatTraceparent } from '../telemetry/trace-context.ts';
import type { TaskContract } from '../task/task.ts';
import { claimIdOf, secretOf } from './claim-secret.ts';
import { endIn, failureOf } from './conclusion.ts';
import { LONGEST_REST_SECONDS, outcomeOfWaiting, patienceLeft, restSeconds } from './message-rest.ts';
import { misfitOf, type NamedTask } from './misfit.ts';
import { StoredClaim } from './stored-claim.ts';
import { faultOfRow } from '../send/row-shape.ts';
import type { TaskRow } from './task-row.ts';
import { type TaskStore, UnknownStateError } from './task-store.ts';
import { unconcluded, unconcludedClaims } from '../sqs/copy-notes.ts';

/** Another worker runs a tracked task at this moment. */
export class TaskRunningError extends TaskError {
  override readonly name = 'TaskRunningError';
}

/** Configures a tracker. */
export interface StoreTrackerOptions {
  readonly store: TaskStore;
  /** Sends the next tasks of flows, and listeners' tasks. */
  readonly forward: ForwardTask;
  /** The contracts that what follows a task may be sent to. Default: any, for tests. */
  readonly contracts?: readonly TaskContract[] | undefined;
  /** How long a claim lasts without a renewal, in seconds. It is renewed after a third of that time. */
  readonly leaseSeconds: number;
  readonly logger: Logger;
}

/** Tracks tasks in the task store. */
export class StoreTracker implements TaskTracker {
  readonly #options: StoreTrackerOptions;
  readonly #continuation: TaskContinuation;
  readonly #queues: ReadonlyMap<string, string>;

  constructor(options: StoreTrackerOptions) {
    this.#options = options;
    options.store.clock.reportTo(options.logger);
    const { store: records, forward, contracts, logger } = options;
    this.#queues = new Map(contracts?.map(({ name, queue }) => [name, queue]));
    const links = contracts && new KnownLinks(contracts);
    const onUnsent = (error: TaskError, { taskId, task }: KeptTask): void =>
      logger.error({ taskId, task, error }, 'what follows the end of a task was not sent');
    this.#continuation = new TaskContinuation({ records, forward, links, onUnsent });
  }

  get receives(): ReceiveLog {
    return this.#options.store.receives;
  }

  async claim(asked: ClaimRequest): Promise<Claim | Outcome> {
    const { message, envelope, contract, queue, owner, signal: hold, graceSeconds } = asked;
    const { store, leaseSeconds, logger } = this.#options;
    const { taskId, task, trace, parentId, subject, depth } = envelope;
    const secret = randomUUID();
    const claimId = claimIdOf(secret);
    const askedAtMs = performance.now();
    const putBack = putBackBy(message, envelope);
    // The secrets of the claims that may be in the task's row if a request fails
    let mayHold: readonly string[] = [];
    try {
      const payloadHash = payloadHashOf(envelope.data);
      const request = {
        taskId,
        task,
        queue,
        contractVersion: contract.version ?? 1,
        payloadHash,
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
      const known = await this.#unconcludedRow(message, taskId);
      mayHold = [...(known ? [known.secret] : []), secret];
      let row = await (known ? store.attempts.resume(request, known.row) : store.attempts.claim(request));
      const misfit = row && (await this.#misfit(row, { task, payloadHash, subject }));
      if (misfit === 'has its turn') row = await store.attempts.claim(request);
      // Its own message claimed it, and its row is broken: otherwise it would run for ever
      else if (misfit) return row?.claimId === claimId ? await this.#ended(row, misfit) : misfit;
      if (isDead(row)) {
        const revived = await store.revive(taskId, putBack);
        if (revived) logger.info({ taskId, task }, 'dead letter was put back: its task starts again');
        // Claim it even if it was not revived: a write whose answer was lost may have revived it before
        row = await store.attempts.claim(request);
      }
      if (row?.state !== 'running' || row.claimId !== claimId) {
        mayHold = [];
        return await this.#unclaimed(taskId, row);
      }
      const forged = await this.#forged(row);
      if (forged) return forged;
      mayHold = [];
      const line = logger.child({ taskId, task });
      const claim = new StoredClaim({
        store,
        continuation: this.#continuation,
        row,
        secret,
        leaseSeconds,
        askedAtMs,
        hold,
        graceSeconds,
        logger: line,
      });
      const { flowEnd } = envelope;
      // Only a claim that found no row has created one at its start
      if (!flowEnd || row.createdAt !== row.startedAt || row.next || row.groupId !== undefined) return claim;
      // Do not run it: the store has lost its row, so an earlier attempt may have done its work already
      return await claim.conclude(await this.#outcomeOfLost(message, taskId, flowEnd));
    } catch (error) {
      const broken = await this.#outcomeOfBroken(error as Error, taskId);
      if (broken) return broken;
      logger.warn({ taskId, task, error }, 'task could not be claimed; its message comes back');
      const release = this.#releaseOf(message, error as Error);
      // The store may have made the write, and only its answer is lost
      return mayHold.length > 0 ? unconcluded(release, mayHold) : release;
    }
  }

  /** The task's row, if an unconcluded claim of the message holds it, and the secret of that claim. */
  async #unconcludedRow(
    message: ReceivedMessage,
    taskId: string,
  ): Promise<{ readonly row: TaskRow; readonly secret: string } | undefined> {
    const named = unconcludedClaims(message);
    if (named.length === 0) return undefined;
    const row = await this.#options.store.read(taskId);
    const secret = secretOf(row?.claimId, named);
    return row?.state === 'running' && secret !== undefined ? { row, secret } : undefined;
  }

  /** The outcome of a message whose row no write can change, because somebody gave its attributes other types. */
  async #outcomeOfBroken({ name }: Error, taskId: string): Promise<DeadLetterOutcome | undefined> {
    if (name !== 'ValidationException') return undefined;
    const row = await this.#options.store.read(taskId).catch(() => undefined);
    const fault = row && faultOfRow(row);
    if (fault === undefined) return undefined;
    const error = new MismatchError(taskId, `expected a row that Baton wrote, got ${fault}`);
    return { kind: 'dead-letter', reason: 'mismatch', error };
  }

  /** The outcome of a message that is none of its task's. Undefined if it is, or if the task has its turn only now. */
  async #misfit(row: TaskRow, named: NamedTask): Promise<DeadLetterOutcome | 'has its turn' | undefined> {
    const error = misfitOf(row, named, this.#options.store.clock.nowMs);
    if (!error) return undefined;
    const outOfTurn = error instanceof OutOfTurnError;
    if (outOfTurn && (await this.#continuation.takeTurn(row, named.payloadHash))) return 'has its turn';
    return { kind: 'dead-letter', reason: outOfTurn ? 'out-of-turn' : 'mismatch', error };
  }

  /** The outcome of a claimed task whose row has no valid signature: it ends, and nothing that its row names follows. */
  async #forged(row: TaskRow): Promise<DeadLetterOutcome | undefined> {
    const { store, logger } = this.#options;
    const error = await store.signatures?.faultInRow(row);
    if (!error) return undefined;
    const { taskId, task } = row;
    if (!store.signatures?.required) {
      logger.warn({ taskId, task, error }, 'row without a valid signature was accepted');
      return undefined;
    }
    return this.#ended(row, { kind: 'dead-letter', reason: 'bad-signature', error });
  }

  /** Ends a claimed task whose row nobody may believe. Nothing that its row names follows. */
  async #ended(
    { taskId, claimId = '', token }: TaskRow,
    outcome: DeadLetterOutcome,
  ): Promise<DeadLetterOutcome> {
    const error = failureOf(outcome.error, outcome.reason);
    const held = { taskId, claimId, token };
    const row = await this.#options.store.attempts.conclude(held, { state: 'dead', error, counts: false });
    return { ...outcome, end: row && endIn(row) };
  }

  async giveUp(
    { message, envelope, queue, patienceSeconds }: GivenUp,
    outcome: DeadLetterOutcome,
  ): Promise<Outcome> {
    const { store, leaseSeconds, logger } = this.#options;
    const { taskId, task, version, subject } = envelope;
    const elsewhere = this.#elsewhere(taskId, task, queue);
    if (elsewhere) return { kind: 'dead-letter', reason: 'mismatch', error: elsewhere };
    try {
      const named = { task, queue, version, subject, payloadHash: payloadHashOf(envelope.data) };
      const before = await store.read(taskId);
      const misfit = before && (await this.#misfit(before, named));
      if (typeof misfit === 'object') return misfit;
      const leftSeconds = before ? patienceLeft(before, patienceSeconds, store.clock.nowMs) : 0;
      if (leftSeconds > 0)
        return {
          kind: 'release',
          error: outcome.error,
          delaySeconds: Math.min(leftSeconds, LONGEST_REST_SECONDS),
        };
      const claims = { leaseSeconds, unconcluded: unconcludedClaims(message) };
      const row = await store.giveUp(taskId, failureOf(outcome.error, outcome.reason), claims);
      // It may have changed since it was read
      const changed = row && misfitOf(row, named, store.clock.nowMs);
      if (changed) return { kind: 'dead-letter', reason: 'mismatch', error: changed };
      if (row) await this.#follow(row);
      const known = row ? undefined : await store.read(taskId);
      if (known) return await this.#unclaimed(taskId, known);
      return row ? { ...outcome, end: endIn(row) } : outcome;
    } catch (error) {
      logger.warn({ taskId, task, error }, 'task could not be given up; its message comes back');
      return this.#releaseOf(message, error as Error);
    }
  }

  /**
   * The error of a message in a queue that is not its contract's. The contract may be that of another service: the end of
   * its task must not be told because somebody wrote a row and a message for another queue.
   */
  #elsewhere(taskId: string, task: string, queue: string): MismatchError | undefined {
    const expected = this.#queues.get(task);
    if (expected === undefined || expected === queueWithoutLane(queue)) return undefined;
    return new MismatchError(taskId, `${task} belongs in the queue ${expected}, got it from ${queue}`);
  }

  /** The outcome of a message whose task belongs to a flow that the store has lost. */
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

  /** The outcome of a message whose task could not be claimed. */
  async #unclaimed(taskId: string, row: TaskRow | undefined): Promise<Outcome> {
    switch (row?.state) {
      case 'succeeded':
      case 'cancelled':
        await this.#follow(row);
        return { kind: 'done', result: undefined };
      case 'failed':
      case 'dead': {
        // Its worker may have died before it sent the dead letter. Two dead letters are better than none
        await this.#follow(row);
        const error = new TaskError(row.error?.message ?? `The task ${taskId} is ${row.state}`);
        const reason = (row.error?.reason ?? 'rejected') as DeadLetterReason;
        return { kind: 'dead-letter', reason, error, end: endIn(row) };
      }
      case 'running': {
        const { store, leaseSeconds } = this.#options;
        const leftSeconds = ((row.leaseUntilMs ?? 0) - store.clock.nowMs) / 1000;
        const error = new TaskRunningError(`The worker ${row.owner ?? '(unknown)'} runs the task ${taskId}`);
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
      default: {
        // A later version wrote it. Its workers know what to do
        const error = new UnknownStateError(taskId, (row as TaskRow).state);
        return { kind: 'release', error, delaySeconds: LONGEST_REST_SECONDS };
      }
    }
  }

  /**
   * Does what follows from a task's end. Ignores failures from 5 days after the end on: otherwise a message whose next
   * queue was deleted would come back for longer than its row is kept, and then its task would run again.
   */
  async #follow(row: KeptTask): Promise<void> {
    try {
      await this.#continuation.ended(row);
    } catch (error) {
      const { taskId, task, finishedAt, updatedAt } = row;
      const endedAtMs = Date.parse(finishedAt ?? updatedAt);
      if (this.#options.store.clock.nowMs - endedAtMs < OLD_MESSAGE_SECONDS * 1000) throw error;
      const text =
        'next task or listener could not be sent for 5 days after the end of a task: it is not sent';
      this.#options.logger.error({ taskId, task, error }, text);
    }
  }
}

function isDead(row: TaskRow | undefined): boolean {
  return row?.state === 'dead' || row?.state === 'failed';
}
