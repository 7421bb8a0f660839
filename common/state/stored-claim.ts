import { setTimeout as sleep } from 'node:timers/promises';
import { ClaimLostError, InvalidValueError, RejectTask, TaskCancelledError } from '../queue/errors.ts';
import type { Outcome } from '../queue/outcome.ts';
import { Renewal, type Renewed } from '../queue/renewal.ts';
import type { TaskContinuation } from '../queue/task-continuation.ts';
import { type Claim, isFinal, type Progress } from '../queue/tracking.ts';
import { isTransient } from '../queue/transient.ts';
import type { Logger } from '../telemetry/logger.ts';
import { conclusionOf, jsonOf, suspicionAfter, withinLimits } from './conclusion.ts';
import { ProgressWriter } from './progress-writer.ts';
import type { TaskRow } from './task-row.ts';
import type { TaskStore } from './task-store.ts';

/** The largest result of an effect that is kept, in bytes of JSON. */
export const MAX_EFFECT_BYTES = 4096;
/** The most effects that one task may have: its row has to fit into what DynamoDB takes. */
export const MAX_EFFECTS = 50;
const EFFECT_KEY = /^[\w.:-]{1,64}$/;
const STORE_REST_MS = 200;
/** A message whose task could not be concluded comes back after this long. */
const RETURN_SECONDS = 2;

/** What a claim needs. */
export interface StoredClaimOptions {
  readonly store: TaskStore;
  readonly continuation: TaskContinuation;
  /** The row as the claim's write left it. */
  readonly row: TaskRow;
  readonly claimId: string;
  readonly leaseSeconds: number;
  /** When the claim was asked for, by `performance.now()`. */
  readonly askedAtMs: number;
  readonly logger: Logger;
}

/** One attempt's right to a task's row, renewed until the attempt is concluded. */
export class StoredClaim implements Claim {
  readonly #options: StoredClaimOptions;
  readonly #held;
  readonly #effects: Map<string, string>;
  /** Effects that were kept or have begun. */
  readonly #begun: Set<string>;
  readonly #abort = new AbortController();
  readonly #renewal: Renewal;
  readonly #progress: ProgressWriter;

  constructor(options: StoredClaimOptions) {
    const { row, claimId, leaseSeconds, askedAtMs, store } = options;
    const lengthMs = leaseSeconds * 1000;
    this.#options = options;
    this.#held = { taskId: row.taskId, claimId, token: row.token };
    this.#effects = new Map(Object.entries(row.effects ?? {}));
    this.#begun = new Set(this.#effects.keys());
    this.#renewal = new Renewal({
      lengthMs,
      endsAtMs: askedAtMs + lengthMs,
      renewAtMs: askedAtMs + lengthMs / 3,
      renew: () => this.#renew(),
      onTrouble: (error) => options.logger.warn({ error }, 'claim could not be renewed; trying again'),
      onLost: (why) =>
        this.#abort.abort(new ClaimLostError(`The task ${row.taskId} is another attempt's: ${why}`)),
    });
    this.#progress = new ProgressWriter(async (progress) => {
      await store.attempts.progress(this.#held, progress);
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
    if (!(await this.#insist(() => store.attempts.begins(this.#held, begun))))
      throw new ClaimLostError(`The task ${row.taskId} is another attempt's`);
  }

  get token(): number {
    return this.#held.token;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  progress(progress: Progress): void {
    this.#progress.say(progress);
  }

  async find(key: string): Promise<{ readonly result: unknown } | undefined> {
    const json = this.#effects.get(checkedKey(key));
    if (json === undefined && this.#begun.add(key).size > MAX_EFFECTS)
      throw unfit(key, `is one more than the ${MAX_EFFECTS} of a task`);
    return json === undefined ? undefined : { result: json === '' ? undefined : JSON.parse(json) };
  }

  async keep(key: string, result: unknown): Promise<void> {
    const json = jsonOf(result);
    // It has been run: no later attempt may run it once more only to find the same
    if (json === undefined) throw new RejectTask(`What the effect ${key} gave is not JSON`);
    if (Buffer.byteLength(json) > MAX_EFFECT_BYTES)
      throw new RejectTask(
        `What the effect ${key} gave is ${Buffer.byteLength(json)} bytes of JSON, ${MAX_EFFECT_BYTES} are kept`,
      );
    if (
      !(await this.#insist(() => this.#options.store.attempts.keepEffect(this.#held, checkedKey(key), json)))
    )
      throw new ClaimLostError(`The effect ${key} could not be kept: the task is another attempt's`);
    this.#effects.set(key, json);
  }

  async conclude(outcome: Outcome): Promise<Outcome> {
    await Promise.all([this.#renewal.stop(), this.#progress.stop()]);
    try {
      return await this.#concluded(withinLimits(outcome));
    } catch (error) {
      this.#options.logger.error({ error }, 'outcome could not be written down; the message comes back');
      return { kind: 'release', error: error as Error, delaySeconds: RETURN_SECONDS };
    } finally {
      this.#renewal.close();
    }
  }

  async #concluded(outcome: Outcome): Promise<Outcome> {
    const { store, continuation, leaseSeconds, claimId } = this.#options;
    const { taskId } = this.#held;
    const conclusion = {
      ...conclusionOf(outcome),
      progress: this.#progress.unsaid,
      suspicion: this.suspect ? suspicionAfter(outcome) : undefined,
    };
    const written = await this.#insist(() => store.attempts.conclude(this.#held, conclusion));
    const row = written ?? (await store.read(taskId));
    if (row?.state === 'cancelled') {
      await continuation.ended(row);
      return { kind: 'done', result: undefined };
    }
    // A write is made again whose answer was lost: then it is refused, and is one's own all the same
    if (!written && !(row?.claimId === claimId && row.state === conclusion.state)) {
      const error = new ClaimLostError(`The task ${taskId} is another attempt's`);
      return { kind: 'release', error, delaySeconds: Math.ceil(leaseSeconds) };
    }
    if (row && isFinal(row.state)) await continuation.ended(row);
    return outcome;
  }

  async #renew(): Promise<Renewed> {
    const { store, leaseSeconds } = this.#options;
    const { taskId } = this.#held;
    if (await store.attempts.renew(this.#held, leaseSeconds)) return { forMs: leaseSeconds * 1000 };
    const row = await store.read(taskId);
    if (row?.state === 'cancelled') {
      this.#abort.abort(new TaskCancelledError(taskId));
      return 'last';
    }
    return { lost: 'it was begun again elsewhere' };
  }

  /** Writes again until the store answers or the claim ends. */
  async #insist<Written>(write: () => Promise<Written>): Promise<Written> {
    for (;;) {
      try {
        return await write();
      } catch (error) {
        if (!mayPass(error) || performance.now() + STORE_REST_MS >= this.#renewal.endsAtMs) throw error;
        await sleep(STORE_REST_MS);
      }
    }
  }
}

/** Whether the same write may succeed later: what the SDK calls transient, and errors that are not of AWS at all. */
function mayPass(error: unknown): boolean {
  return isTransient(error) || !(error as { $fault?: string }).$fault;
}

function checkedKey(key: string): string {
  if (EFFECT_KEY.test(key) && key !== '__proto__') return key;
  throw unfit(key.slice(0, 64), 'is not 1 to 64 letters, digits and . _ : -');
}

function unfit(key: string, why: string): InvalidValueError {
  return new InvalidValueError('The effect cannot be kept', [{ path: key, message: `it ${why}` }]);
}
