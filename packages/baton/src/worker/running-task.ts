// A task that a worker runs: the lease of its message, and the attempt made under it.
import { attemptOf } from '../sqs/copy-notes.ts';
import { decodeEnvelope } from '../sqs/envelope.ts';
import type { ExclusiveRuns, Turn } from '../run/exclusive-runs.ts';
import type { AttemptHost } from '../run/attempt.ts';
import type { ReceivedMessage } from '../sqs/received-message.ts';
import type { AttemptName } from '../run/running-attempt.ts';
import { Lease, type LeaseOptions } from './lease.ts';

/** Configures a running task. */
export interface RunningTaskOptions extends Omit<LeaseOptions, 'onLost'> {
  /** Called right before its handler starts. */
  readonly onBegin?: ((attempt: AttemptName) => void) | undefined;
  /** Lets a suspect run alone. */
  readonly exclusive: ExclusiveRuns;
  /** Aborts when the worker starts no more tasks. */
  readonly stopping: AbortSignal;
}

/** Holds a message from its receive to its outcome: renews its lease, and hosts the attempt. */
export class RunningTask implements AttemptHost {
  readonly message: ReceivedMessage;
  readonly lease: Lease;
  readonly #attempt = new AbortController();
  readonly #startedAtMs = performance.now();
  #overdue: Promise<unknown> | undefined;
  #begun: AttemptName | undefined;
  readonly #onBegin: ((attempt: AttemptName) => void) | undefined;
  readonly #exclusive: ExclusiveRuns;
  readonly #stopping: AbortSignal;
  #turn: Turn | undefined;

  constructor({ onBegin, exclusive, stopping, ...options }: RunningTaskOptions) {
    this.message = options.message;
    this.#exclusive = exclusive;
    this.#stopping = stopping;
    this.#onBegin = onBegin;
    this.lease = new Lease({ ...options, onLost: (error) => this.abort(error) });
  }

  /** Aborts when the lease is lost or the worker must stop. */
  get signal(): AbortSignal {
    return this.#attempt.signal;
  }

  /** Confirms the lease: see `Renewal.confirm`. */
  confirm(): Promise<boolean> | undefined {
    return this.lease.confirm();
  }

  /** Whether the outcome was decided while the handler still ran, because it ignored its signal. */
  get overdue(): boolean {
    return this.#overdue !== undefined;
  }

  /** Aborts the handler's signal. */
  abort(reason: Error): void {
    this.#attempt.abort(reason);
  }

  /** Records which attempt its handler starts. */
  begins(attempt: AttemptName): void {
    this.#begun = attempt;
    this.#onBegin?.(attempt);
  }

  /** Waits until no other task runs in the worker, or for a limited time. Others start again once `decided` is called. */
  async runAlone(ended: AbortSignal): Promise<boolean> {
    this.#turn = await this.#exclusive.turn(AbortSignal.any([ended, this.#stopping]));
    return this.#turn.alone;
  }

  /** Records that the outcome is decided. */
  decided(): void {
    this.#turn?.over();
  }

  /** Records that the handler still runs although the outcome is decided. */
  outlivedBy(handler: Promise<unknown>): void {
    this.#overdue = handler;
  }

  /** Resolves once the handler has ended, even after its outcome. */
  async whenEnded(): Promise<void> {
    await this.#overdue?.catch(() => undefined);
  }

  /** Describes the task for an operator. */
  describe() {
    const { messageId } = this.message;
    const ageMs = Math.round(performance.now() - this.#startedAtMs);
    const leaseEndsInMs = this.overdue ? null : Math.round(this.lease.endsAtMs - performance.now());
    const attempt = this.#begun?.attempt ?? attemptOf(this.message);
    return { ...this.#named(), messageId, attempt, ageMs, leaseEndsInMs, overdue: this.overdue };
  }

  #named(): { readonly task: string | null; readonly taskId: string | null } {
    try {
      const { task, taskId } = this.#begun ?? decodeEnvelope(this.message.body, 0);
      return { task, taskId };
    } catch {
      return { task: null, taskId: null };
    }
  }
}
