// Implementations: contracts bound to the handlers that do the work.
import type { z } from 'zod';
import type { Logger } from '../telemetry/logger.ts';
import type { Effect } from './effect.ts';
import { type Lanes, lanesByQueue } from './lane.ts';
import type { SendTask } from './send-task.ts';
import { DEFAULT_MAX_PAYLOAD_BYTES, maxPayloadBytesOf, type TaskContract } from './task.ts';
import type { Progress } from './progress.ts';

/** The worker process or function that runs a task. */
export interface WorkerIdentity {
  /** Unique among the workers that run at the same time. */
  readonly id: string;
  /** The version of its code. */
  readonly version: string;
}

/** The second argument of a handler. */
export interface TaskContext {
  /** The task's id: the same at every attempt and redelivery. Use it to make effects idempotent. */
  readonly taskId: string;
  /**
   * The number of this attempt, counted from 1. Released attempts do not count. Crashed attempts count only if they ran
   * alone. While the task store is away, each receive of an untracked message counts.
   */
  readonly attempt: number;
  /** The number of attempts that the contract's retry policy allows. */
  readonly maxAttempts: number;
  /** Aborts when the time limit passes, the lease is lost or the worker must stop. Pass it to everything that waits. */
  readonly signal: AbortSignal;
  /** A logger whose lines carry taskId, task, attempt, queue and traceId. */
  readonly logger: Logger;
  /** Sends a task in the trace of this task. */
  readonly send: SendTask;
  readonly worker: WorkerIdentity;
}

/** The second argument of a tracked task's handler. */
export interface TrackedTaskContext extends TaskContext {
  /**
   * Fencing token: greater than the tokens of all earlier attempts. The task's end carries it too. A service that stores
   * what attempts report should store the token with it, and drop reports with a smaller token.
   */
  readonly token: number;
  /** Reports how far the handler is. Written to the task store at most once a second. */
  readonly progress: (progress: Progress) => void;
  /** Runs a step that leaves the system once, and keeps its result. */
  readonly effect: Effect;
}

/** The context of a handler, by whether its task is tracked. */
type ContextOf<Tracked extends boolean> = Tracked extends true ? TrackedTaskContext : TaskContext;

/**
 * The function that does a task's work. Returns the contract's result. If it throws, the task is retried by the contract's
 * policy; RetryTask, PostponeTask and RejectTask say otherwise.
 */
export type TaskHandler<
  Payload extends z.ZodType,
  Result extends z.ZodType,
  Tracked extends boolean = false,
> = (payload: z.output<Payload>, context: ContextOf<Tracked>) => Promise<z.input<Result>> | z.input<Result>;

/** A contract bound to its handler. */
export interface Implementation<
  Payload extends z.ZodType = z.ZodType,
  Result extends z.ZodType = z.ZodType,
  Tracked extends boolean = boolean,
> {
  readonly contract: TaskContract<Payload, Result, Tracked>;
  /** Runs the handler with a checked payload. A tracked task needs a TrackedTaskContext. */
  readonly run: (payload: unknown, context: TaskContext) => unknown;
}

/** Binds a contract to its handler. A handler with another payload or result is a compile error. */
export function implement<
  Payload extends z.ZodType,
  Result extends z.ZodType,
  Tracked extends boolean = false,
>(
  contract: TaskContract<Payload, Result, Tracked>,
  handler: TaskHandler<Payload, Result, Tracked>,
): Implementation<Payload, Result, Tracked> {
  return { contract, run: handler as Implementation['run'] };
}

/** The implementations of a process, found by task name. */
export class Implementations {
  /** The lanes of each queue that has lanes. */
  readonly lanes: ReadonlyMap<string, Lanes>;
  /** The largest payload of a contract, in bytes. At least the default, because a task that is not known may have that. */
  readonly maxPayloadBytes: number;
  readonly #byName: ReadonlyMap<string, Implementation>;

  /** @throws TypeError if two implementations share a name, or contracts on one queue declare different lanes */
  constructor(implementations: readonly Implementation[]) {
    const byName = new Map(implementations.map((each) => [each.contract.name, each]));
    if (byName.size < implementations.length) {
      const names = implementations.map(({ contract }) => contract.name);
      const twice = names.filter((name, index) => names.indexOf(name) !== index);
      throw new TypeError(
        `More than one implementation of ${[...new Set(twice)].join(', ')}: expected one for each task name`,
      );
    }
    this.#byName = byName;
    this.lanes = lanesByQueue(this.contracts);
    this.maxPayloadBytes = Math.max(DEFAULT_MAX_PAYLOAD_BYTES, ...this.contracts.map(maxPayloadBytesOf));
  }

  /** The implementation of the task with that name; undefined if this process has none. */
  find(name: string): Implementation | undefined {
    return this.#byName.get(name);
  }

  /** The names of the tasks that run in threads. */
  get inThreads(): string[] {
    return this.contracts.filter(({ isolation }) => isolation === 'thread').map(({ name }) => name);
  }

  /** The contracts that this process implements. */
  get contracts(): TaskContract[] {
    return [...this.#byName.values()].map(({ contract }) => contract);
  }

  /** The names of the tracked tasks. */
  get tracked(): string[] {
    return this.contracts.filter(({ tracked }) => tracked).map(({ name }) => name);
  }

  /** The queues of the implemented tasks, without those of lanes. */
  get queues(): string[] {
    return [...new Set(this.contracts.map(({ queue }) => queue))];
  }
}
