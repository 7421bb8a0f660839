// Runs one attempt at a task in memory.
import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { processMessage } from '../run/process-message.ts';
import { encodeEnvelope } from '../sqs/envelope.ts';
import type { ReceivedMessage } from '../sqs/received-message.ts';
import type { Implementation, TrackedTaskContext } from '../task/implementation.ts';
import { fromJson, toJson } from '../task/json-value.ts';
import { cutProgress, type Progress } from '../task/progress.ts';
import type { SendOptions, SendTask } from '../task/send-task.ts';
import { type LogLine, MemoryBackend } from './memory-backend.ts';
import { type TaskOutcome, taskOutcome } from './task-outcome.ts';

const DEFAULT_GRACE_SECONDS = 1;

/** Configures an attempt in memory. */
export interface RunTaskOptions {
  /** The number of the attempt, from 1 to the contract's `maxAttempts`. Default 1. */
  readonly attempt?: number;
  /** The task's id. Default: a new uuid. */
  readonly taskId?: string;
  /** The task's subject. */
  readonly subject?: string;
  /** The kept results of earlier attempts' effects, by their keys. The attempt does not run them again. */
  readonly effects?: Readonly<Record<string, unknown>>;
  /** The keys of effects that an earlier attempt started, without a kept result: their `inDoubt` is called. */
  readonly effectsInDoubt?: readonly string[];
  /** The time limit, in seconds; parts of a second are allowed. Default: the contract's. */
  readonly timeoutSeconds?: number;
  /** How long a handler may continue after its signal aborted, in seconds. Default 1. */
  readonly abortGraceSeconds?: number;
  /** Aborts the attempt, as a worker that must stop does. */
  readonly signal?: AbortSignal;
}

/** A task that a handler has sent. */
export interface SentByTask {
  /** The name of its contract. */
  readonly task: string;
  readonly taskId: string;
  readonly payload: unknown;
  readonly options: SendOptions;
}

/** The outcome of an attempt, and all that it did. */
export interface TaskRun<Result = unknown> {
  readonly outcome: TaskOutcome<Result>;
  /** The handler's result, checked by the contract's schema. Undefined unless the task is done. */
  readonly result: Result | undefined;
  /** Why the task is not done. */
  readonly error: Error | undefined;
  /** The tasks that the handler sent, in order. They do not run. */
  readonly sends: readonly SentByTask[];
  /** The kept results of effects, by their keys: of this attempt and of earlier ones. */
  readonly effects: Readonly<Record<string, unknown>>;
  /** The progress that the handler reported, in order. */
  readonly progress: readonly Progress[];
  /** The lines that were logged, in order, at every level. */
  readonly logs: readonly LogLine[];
}

/**
 * Runs one attempt at a task in memory, by the rules of a worker: schemas, retry policy, time limit and effects. Needs no
 * SQS and no DynamoDB. The handler's errors are in the outcome. Time is real: give `timeoutSeconds` to test a time limit.
 *
 * @example
 * const run = await runTask(chargeCard, { orderId: 'o-1' }, { attempt: 2, effects: { charge: { receipt: 'r-1' } } });
 * expect(run.outcome).toEqual({ kind: 'done', result: { receipt: 'r-1' } });
 *
 * @param payload - as a sender gives it. One that breaks the schema makes a dead letter, `invalid-payload`
 * @throws RangeError if the contract allows no such attempt
 * @throws TypeError if effects are given for a task that is not tracked
 */
export async function runTask<Payload extends z.ZodType, Result extends z.ZodType, Tracked extends boolean>(
  implementation: Implementation<Payload, Result, Tracked>,
  payload: z.input<Payload>,
  options: RunTaskOptions = {},
): Promise<TaskRun<z.output<Result>>> {
  const { attempt = 1, taskId = randomUUID(), abortGraceSeconds = DEFAULT_GRACE_SECONDS } = options;
  const { name, queue, version, retry, tracked, timeoutSeconds } = implementation.contract;
  if (!Number.isInteger(attempt) || attempt < 1 || attempt > retry.maxAttempts)
    throw new RangeError(`Invalid attempt of ${name}: expected 1 to ${retry.maxAttempts}, got ${attempt}`);
  if (!tracked && (options.effects || options.effectsInDoubt))
    throw new TypeError(
      `${name} is not tracked, so it has no effects: expected neither effects nor effectsInDoubt`,
    );
  const clock = { nowMs: Date.now() };
  const backend = new MemoryBackend({ clock, abortGraceSeconds, waitForEnd: refuseToWait });
  await begin(backend, taskId, implementation, attempt, options);
  const sends: SentByTask[] = [];
  const said: Progress[] = [];
  const observed = {
    contract: { ...implementation.contract, timeoutSeconds: options.timeoutSeconds ?? timeoutSeconds },
    run: observedRun(implementation, sends, said),
  };
  const time = new Date(clock.nowMs).toISOString();
  const sent = { taskId, task: name, version, source: 'test', time, subject: options.subject };
  const message: ReceivedMessage = {
    messageId: taskId,
    receiptHandle: taskId,
    body: encodeEnvelope({ ...sent, trace: undefined, data: payload }),
    receiveCount: attempt,
    sentAtMs: clock.nowMs,
    firstReceivedAtMs: clock.nowMs,
    attributes: {},
  };
  const host = {
    signal: options.signal ?? new AbortController().signal,
    outlivedBy: () => undefined,
  };
  const decided = await processMessage(message, queue, host, backend.processing([observed]));
  const outcome = taskOutcome(decided) as TaskOutcome<z.output<Result>>;
  return {
    outcome,
    result: outcome.kind === 'done' ? outcome.result : undefined,
    error: outcome.kind === 'done' ? undefined : outcome.error,
    sends,
    effects: tracked ? await effectsOf(backend, taskId) : {},
    progress: said,
    logs: backend.logs,
  };
}

/** Writes the rows that earlier attempts would have written. */
async function begin(
  { store, table }: MemoryBackend,
  taskId: string,
  { contract: { name: task, queue, tracked } }: Implementation,
  attempt: number,
  { subject, effects = {}, effectsInDoubt = [] }: RunTaskOptions,
): Promise<void> {
  const earlier = attempt - 1;
  if (!tracked) {
    if (earlier > 0) await store.receives.keep(taskId, { ended: earlier, attempts: earlier, crashes: 0 });
    return;
  }
  await store.create({ taskId, task, queue, subject });
  const kept = Object.entries(effects).map(([key, value]) => [key, toJson(value)]);
  table.change(taskId, {
    ...(earlier > 0 && { state: 'retrying', attempts: earlier, token: earlier }),
    effects: Object.fromEntries(kept) as object,
    ...(effectsInDoubt.length > 0 && { begunEffects: new Set(effectsInDoubt) }),
  });
}

/** Wraps the handler, and records its sends and progress. */
function observedRun({ run }: Implementation, sends: SentByTask[], said: Progress[]): Implementation['run'] {
  return (payload, context) => {
    const send: SendTask = async (contract, value, options) => {
      const sent = await context.send(contract, value, options);
      sends.push({ task: contract.name, taskId: sent.taskId, payload: value, options: options ?? {} });
      return sent;
    };
    const { progress } = context as Partial<TrackedTaskContext>;
    const observed = progress && {
      progress: (now: Progress): void => {
        progress(now);
        said.push(cutProgress(now));
      },
    };
    return run(payload, { ...context, send, ...observed });
  };
}

async function effectsOf({ store }: MemoryBackend, taskId: string): Promise<Record<string, unknown>> {
  const { effects = {} } = (await store.read(taskId)) ?? {};
  const kept = Object.entries(effects).flatMap(([key, json]) => {
    try {
      return [[key, fromJson(json)] as const];
    } catch {
      // Its result could not be kept
      return [];
    }
  });
  return Object.fromEntries(kept);
}

async function refuseToWait(taskId: string): Promise<never> {
  throw new Error(
    `runTask runs only one attempt, so nothing runs the task ${taskId}, whose result the handler waits for: expected a TestBroker, which runs both`,
  );
}
