import { attemptOf } from '../sqs/copy-notes.ts';
import { decodeEnvelope } from '../sqs/envelope.ts';
import type { ExclusiveRuns, Turn } from '../run/exclusive-runs.ts';
import type { AttemptHost } from '../run/attempt.ts';
import type { ReceivedMessage } from '../sqs/received-message.ts';
import type { AttemptName } from '../run/running-attempt.ts';
import { Lease, type LeaseOptions } from './lease.ts';

/** What a running task needs. */
export interface RunningTaskOptions extends Omit<LeaseOptions, 'onLost'> {
  /** Called right before its handler begins. */
  readonly onBegin?: ((attempt: AttemptName) => void) | undefined;
  /** By which a suspect runs alone. */
  readonly exclusive: ExclusiveRuns;
  /** Aborts when the worker starts no task any more. */
  readonly stopping: AbortSignal;
}

/** A message that a worker holds, from its receive to its settling: the lease, and the attempt that runs under it. */
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

  /** Whether the message is still this worker's: SQS is asked again when the clock says that the lease has ended. */
  confirm(): Promise<boolean> | undefined {
    return this.lease.confirm();
  }

  /** Whether its outcome was decided without it, because its handler heeded no signal. */
  get overdue(): boolean {
    return this.#overdue !== undefined;
  }

  /** Tells the handler to stop. */
  abort(reason: Error): void {
    this.#attempt.abort(reason);
  }

  /** Notes what its handler begins to do. */
  begins(attempt: AttemptName): void {
    this.#begun = attempt;
    this.#onBegin?.(attempt);
  }

  /** Waits until nothing else runs in the worker, or for its patience; others begin again once `decided` is called. */
  async runAlone(givenUp: AbortSignal): Promise<boolean> {
    this.#turn = await this.#exclusive.turn(AbortSignal.any([givenUp, this.#stopping]));
    return this.#turn.alone;
  }

  /** Its outcome is decided. */
  decided(): void {
    this.#turn?.over();
  }

  /** Notes that the handler goes on although its outcome is decided. */
  outlivedBy(handler: Promise<unknown>): void {
    this.#overdue = handler;
  }

  /** Resolves when the handler has ended, however late. */
  async whenEnded(): Promise<void> {
    await this.#overdue?.catch(() => undefined);
  }

  /** What an operator wants to know of it. */
  describe() {
    const { messageId } = this.message;
    const ageMs = Math.round(performance.now() - this.#startedAtMs);
    const leaseEndsInMs = this.overdue ? null : Math.round(this.lease.endsAtMs - performance.now());
    const attempt = this.#begun?.attempt ?? attemptOf(this.message);
    return { ...this.#named(), messageId, attempt, ageMs, leaseEndsInMs, overdue: this.overdue };
  }

  #named(): { readonly task: string | null; readonly taskId: string | null } {
    try {
      const { task, taskId } = this.#begun ?? decodeEnvelope(this.message.body);
      return { task, taskId };
    } catch {
      return { task: null, taskId: null };
    }
  }
}
