import type { z } from 'zod';
import type { Logger } from '../telemetry/logger.ts';
import type { Effect } from './effect.ts';
import { type Lanes, lanesByQueue } from './lane.ts';
import type { SendTask } from './send-task.ts';
import type { TaskContract } from './task.ts';
import type { Progress } from './progress.ts';

/** Who runs a task: a worker process or a function. */
export interface WorkerIdentity {
  /** Unique among the workers that run at one time. */
  readonly id: string;
  /** The version of the code that it runs. */
  readonly version: string;
}

/** What a handler is given beside its payload. */
export interface TaskContext {
  /** The same at every attempt and redelivery: what makes effects idempotent. */
  readonly taskId: string;
  /**
   * This attempt's number, counted from 1. Released attempts do not count, and crashed ones only when they ran alone.
   * While the task store is away, each receive of an untracked message counts.
   */
  readonly attempt: number;
  /** Attempts in all, by the contract's retry policy. */
  readonly maxAttempts: number;
  /** Aborts when the time limit passes, the lease is lost or the worker must stop: hand it to all that waits. */
  readonly signal: AbortSignal;
  /** Every line carries taskId, task, attempt, queue and traceId. */
  readonly logger: Logger;
  /** Sends a task within this one's trace. */
  readonly send: SendTask;
  readonly worker: WorkerIdentity;
}

/** What the handler of a tracked task is given. */
export interface TrackedTaskContext extends TaskContext {
  /**
   * Fencing token: greater than that of every attempt before; the task's end carries it, too. A service that writes down
   * what attempts say keeps the token with it, and drops what comes with a smaller one.
   */
  readonly token: number;
  /** Says how far the handler is, for whoever asks; written down at most once a second. */
  readonly progress: (progress: Progress) => void;
  readonly effect: Effect;
}

/** The context of a handler, by whether its task is tracked. */
type ContextOf<Tracked extends boolean> = Tracked extends true ? TrackedTaskContext : TaskContext;

/** What does a task: resolves to the contract's result, throws to be tried again, or RetryTask, PostponeTask or RejectTask on purpose. */
export type TaskHandler<
  Payload extends z.ZodType,
  Result extends z.ZodType,
  Tracked extends boolean = false,
> = (payload: z.output<Payload>, context: ContextOf<Tracked>) => Promise<z.input<Result>> | z.input<Result>;

/** A contract bound to the function that does it. */
export interface Implementation<
  Payload extends z.ZodType = z.ZodType,
  Result extends z.ZodType = z.ZodType,
  Tracked extends boolean = boolean,
> {
  readonly contract: TaskContract<Payload, Result, Tracked>;
  /** Runs the handler with a payload that the contract's schema has passed; a tracked task's with its own context. */
  readonly run: (payload: unknown, context: TaskContext) => unknown;
}

/** Binds a contract to its handler; a handler of another payload or result is a compile error. */
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
  /** The lanes of those queues that have some. */
  readonly lanes: ReadonlyMap<string, Lanes>;
  readonly #byName: ReadonlyMap<string, Implementation>;

  /** @throws TypeError when two implementations share a name, or contracts on one queue declare different lanes */
  constructor(implementations: readonly Implementation[]) {
    const byName = new Map(implementations.map((each) => [each.contract.name, each]));
    if (byName.size < implementations.length) {
      const names = implementations.map(({ contract }) => contract.name);
      const twice = names.filter((name, index) => names.indexOf(name) !== index);
      throw new TypeError(`More than one implementation of ${[...new Set(twice)].join(', ')}`);
    }
    this.#byName = byName;
    this.lanes = lanesByQueue(this.contracts);
  }

  /** The implementation of the task of that name, if this process has it. */
  find(name: string): Implementation | undefined {
    return this.#byName.get(name);
  }

  /** The names of the tasks whose contracts want a thread. */
  get inThreads(): string[] {
    return this.contracts.filter(({ isolation }) => isolation === 'thread').map(({ name }) => name);
  }

  /** The contracts that this process implements. */
  get contracts(): TaskContract[] {
    return [...this.#byName.values()].map(({ contract }) => contract);
  }

  /** The names of the tasks whose contracts want a task store. */
  get tracked(): string[] {
    return this.contracts.filter(({ tracked }) => tracked).map(({ name }) => name);
  }

  /** The queues that the implemented tasks travel on, without those of lanes. */
  get queues(): string[] {
    return [...new Set(this.contracts.map(({ queue }) => queue))];
  }
}
