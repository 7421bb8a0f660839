// The claim of an attempt, held in its task's row.
import { checkedEffectKey, type EffectResult, type KnownEffect } from '../run/effects.ts';
import { ClaimLostError, MismatchError, RejectTask, TaskCancelledError } from '../task/errors.ts';
import { InvalidValueError } from '../task/invalid-value.ts';
import { fromJson } from '../task/json-value.ts';
import type { Outcome } from '../task/outcome.ts';
import { Renewal, type Renewed } from '../sqs/renewal.ts';
import type { TaskContinuation } from '../send/task-continuation.ts';
import { type Claim } from '../run/task-tracker.ts';
import { isFinal } from '../task/task-status.ts';
import { type Progress } from '../task/progress.ts';
import type { Logger } from '../telemetry/logger.ts';
import { claimIdOf } from './claim-secret.ts';
import { conclusionOf, endIn, suspicionAfter, withinLimits } from './conclusion.ts';
import { isHopeless, PatientWrites } from './patient-writes.ts';
import { ProgressWriter } from './progress-writer.ts';
import type { TaskRow } from './task-row.ts';
import { unconcluded } from '../sqs/copy-notes.ts';
import type { TaskStore } from './task-store.ts';

/** The largest result of an effect that is kept, in bytes of JSON. */
export const MAX_EFFECT_BYTES = 4096;
/** The most effects of one task, because DynamoDB limits the size of a row. */
export const MAX_EFFECTS = 50;
/** Stands in the row for a result that cannot be kept. It is not JSON. */
const NOT_KEPT = 'not kept';
const OTHERS = 'another attempt has the task';
/** The rest of a message whose attempt could not be concluded. */
const RETURN_SECONDS = 2;
/** How long the write of an effect that ends after its attempt is retried. */
const LATE_EFFECT_MS = 30_000;

/** Configures a claim. */
export interface StoredClaimOptions {
  readonly store: TaskStore;
  readonly continuation: TaskContinuation;
  /** The row after the claim's write. */
  readonly row: TaskRow;
  /** The secret of the claim: see `claimIdOf`. */
  readonly secret: string;
  readonly leaseSeconds: number;
  /** When the claim was asked for, by `performance.now()`. */
  readonly askedAtMs: number;
  /** Aborts when the worker must release the task's message. */
  readonly hold: AbortSignal;
  /** How long writes are retried after that, in seconds. */
  readonly graceSeconds: number;
  readonly logger: Logger;
}

/** An attempt's right to its task's row. Renews itself until the attempt is concluded. */
export class StoredClaim implements Claim {
  readonly #options: StoredClaimOptions;
  readonly #held;
  readonly #effects: Map<string, string>;
  /** The keys of effects that have started or are kept. */
  readonly #begun: Set<string>;
  readonly #abort = new AbortController();
  readonly #renewal: Renewal;
  readonly #progress: ProgressWriter;
  readonly #writes: PatientWrites;
  /** The writes of effects' results that are under way. */
  readonly #keeping = new Set<Promise<unknown>>();
  /** Whether the outcome is being written. Listeners may not be told of effects that are kept later. */
  #isEnding = false;
  /** Whether the store has confirmed the outcome. */
  #isConcluded = false;

  constructor(options: StoredClaimOptions) {
    const { row, secret, leaseSeconds, askedAtMs, store, hold, graceSeconds } = options;
    const lengthMs = leaseSeconds * 1000;
    this.#options = options;
    this.#held = { taskId: row.taskId, claimId: claimIdOf(secret), token: row.token };
    this.#effects = new Map(Object.entries(row.effects ?? {}));
    this.#begun = new Set([...this.#effects.keys(), ...(row.begunEffects ?? [])]);
    this.#writes = new PatientWrites(hold, graceSeconds * 1000);
    this.#renewal = new Renewal({
      lengthMs,
      endsAtMs: askedAtMs + lengthMs,
      renewAtMs: askedAtMs + lengthMs / 3,
      renew: () => this.#renew(),
      onTrouble: (error) => options.logger.warn({ error }, 'claim could not be renewed; trying again'),
      onLost: (why) =>
        this.#abort.abort(new ClaimLostError(`The claim on the task ${row.taskId} was lost: ${why}`)),
    });
    this.#progress = new ProgressWriter(async (progress) => {
      if (!(await store.attempts.progress(this.#held, progress))) await this.#learnWhy();
    }, options.logger);
  }

  get attempt(): number {
    return this.#options.row.attempts;
  }

  get crashes(): number {
    return this.#options.row.crashes ?? 0;
  }

  get suspect(): boolean {
    return this.crashes > 0;
  }

  async begins(alone: boolean): Promise<void> {
    const { store, row } = this.#options;
    const begun = alone ? 'alone' : 'in company';
    if (!(await this.#writes.make(() => store.attempts.begins(this.#held, begun))))
      throw new ClaimLostError(`The claim on the task ${row.taskId} was lost: ${OTHERS}`);
  }

  get token(): number {
    return this.#held.token;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  confirm(): Promise<boolean> | undefined {
    return this.#renewal.confirm();
  }

  progress(progress: Progress): void {
    this.#progress.report(progress);
  }

  async find(key: string): Promise<KnownEffect> {
    const json = this.#effects.get(checkedEffectKey(key));
    if (json === NOT_KEPT) return 'not kept';
    if (json !== undefined) return { result: fromJson(json) };
    if (this.#options.row.begunEffects?.has(key)) return 'in doubt';
    if (this.#begun.add(key).size > MAX_EFFECTS)
      throw new InvalidValueError('Invalid effect', [
        { path: key, message: `expected at most ${MAX_EFFECTS} effects of a task, and this is one more` },
      ]);
    return undefined;
  }

  async begin(key: string): Promise<void> {
    const { attempts } = this.#options.store;
    if (await this.#writes.make(() => attempts.beginEffect(this.#held, key))) return;
    throw (await this.#learnWhy()) ?? new ClaimLostError(`The effect ${key} did not begin: ${OTHERS}`);
  }

  async keep(key: string, result: EffectResult): Promise<void> {
    const tooLarge = 'json' in result && Buffer.byteLength(result.json) > MAX_EFFECT_BYTES;
    if ('json' in result && !tooLarge) return this.#write(checkedEffectKey(key), result.json);
    // Later attempts must not run it again, because they would get the same result
    await this.#write(checkedEffectKey(key), NOT_KEPT);
    const why =
      'json' in result
        ? `expected at most ${MAX_EFFECT_BYTES} bytes of JSON, got ${Buffer.byteLength(result.json)}`
        : `it is not JSON: ${result.notJson}`;
    throw new RejectTask(`The result of the effect ${key} cannot be kept: ${why}`);
  }

  async #write(key: string, json: string): Promise<void> {
    const { attempts } = this.#options.store;
    const keeping = this.#writes.make(() => attempts.keepEffect(this.#held, key, json));
    this.#keeping.add(keeping);
    const row = await keeping.finally(() => this.#keeping.delete(keeping));
    const isOurs = row?.token === this.#held.token;
    // Otherwise the end that this attempt writes names the effect
    if (row && isFinal(row.state) && (this.#isEnding || !isOurs)) await this.#tellAgain(this.#asClaimed(row));
    if (!isOurs || row.state === 'cancelled') {
      await this.#learnWhy();
      throw new ClaimLostError(
        `The effect ${key} ${row ? 'was kept, but' : 'was not kept:'} ${whyLost(row)}`,
      );
    }
    this.#effects.set(key, json);
  }

  /** Tells the listeners the task's end again, because they do not know of an effect that was kept after it. */
  async #tellAgain(row: TaskRow): Promise<void> {
    const { continuation, logger } = this.#options;
    try {
      await continuation.ended(row);
    } catch (error) {
      logger.error({ error }, 'listeners not told of an effect that ended after its task');
    }
  }

  async conclude(outcome: Outcome): Promise<Outcome> {
    await Promise.all([this.#renewal.stop(), this.#progress.stop()]);
    try {
      return await this.#concluded(withinLimits(outcome));
    } catch (error) {
      // It would be refused each time, and the handler would run each time before
      if (isHopeless(error)) return refusedBy(error as Error, this.#held.taskId);
      this.#options.logger.error({ error }, 'outcome could not be written; the message comes back');
      const release = { kind: 'release', error: error as Error, delaySeconds: RETURN_SECONDS } as const;
      return this.#isConcluded ? release : unconcluded(release, [this.#options.secret]);
    } finally {
      this.#renewal.close();
      this.#writes.endIn(LATE_EFFECT_MS);
    }
  }

  async #concluded(outcome: Outcome): Promise<Outcome> {
    this.#isEnding = true;
    const { store, continuation, leaseSeconds } = this.#options;
    const { taskId, claimId } = this.#held;
    const conclusion = {
      ...conclusionOf(outcome),
      progress: this.#progress.unwritten,
      suspicion: this.suspect ? suspicionAfter(outcome) : undefined,
    };
    const row = await this.#writes.make(async () => {
      // Otherwise the next attempt would run an effect again whose result is still being written
      await Promise.allSettled(this.#keeping);
      const written = await store.attempts.conclude(this.#held, conclusion);
      return written ?? store.read(taskId);
    });
    this.#isConcluded = true;
    if (row?.state === 'cancelled') {
      await continuation.ended(this.#asClaimed(row));
      return { kind: 'done', result: undefined };
    }
    // The SDK may retry a write that had already succeeded. Then the refusal is caused by our own write
    if (!(row?.claimId === claimId && row.state === conclusion.state)) {
      const error = new ClaimLostError(`The claim on the task ${taskId} was lost: ${OTHERS}`);
      return { kind: 'release', error, delaySeconds: Math.ceil(leaseSeconds) };
    }
    if (!row || !isFinal(row.state)) return outcome;
    await continuation.ended(this.#asClaimed(row));
    return outcome.kind === 'dead-letter' ? { ...outcome, end: endIn(row) } : outcome;
  }

  /** The task's end, with what its sender had said when it was claimed. A sender may have changed the row since. */
  #asClaimed(row: TaskRow): TaskRow {
    const { state, attempts, token, startedAt, finishedAt, updatedAt, result, error, effects } = row;
    const end = { state, attempts, token, startedAt, finishedAt, updatedAt, result, error, effects };
    return { ...this.#options.row, ...end, leaseUntilMs: row.leaseUntilMs };
  }

  async #renew(): Promise<Renewed> {
    const { store, leaseSeconds } = this.#options;
    if (await store.attempts.renew(this.#held, leaseSeconds)) return { forMs: leaseSeconds * 1000 };
    const why = await this.#learnWhy();
    return why instanceof TaskCancelledError ? 'last' : { lost: OTHERS };
  }

  /** Finds out from the row why a write was refused, and aborts the signal with that reason. */
  async #learnWhy(): Promise<Error | undefined> {
    const { taskId } = this.#held;
    if (this.#abort.signal.aborted) return this.#abort.signal.reason as Error;
    const row = await this.#options.store.read(taskId);
    if (row?.state === 'running' && row.claimId === this.#held.claimId) return undefined;
    const cancelled = row?.state === 'cancelled';
    const why = cancelled
      ? new TaskCancelledError(taskId)
      : new ClaimLostError(`The claim on the task ${taskId} was lost: ${OTHERS}`);
    // A concluded attempt has nothing to abort
    if (!this.#isConcluded) this.#abort.abort(why);
    return why;
  }
}

/** The outcome of an attempt whose row takes no outcome. Only somebody who has filled the row with his own can cause that. */
function refusedBy({ message }: Error, taskId: string): Outcome {
  const error = new MismatchError(
    taskId,
    `expected a row that Baton wrote, got one that takes no end: ${message}`,
  );
  return { kind: 'dead-letter', reason: 'mismatch', error };
}

function whyLost(row: TaskRow | undefined): string {
  if (!row) return 'the task store has lost the task';
  return row.state === 'cancelled' ? 'the task was cancelled' : OTHERS;
}
