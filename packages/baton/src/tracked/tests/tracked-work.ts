import { randomUUID } from 'node:crypto';
import { implement, Implementations, type TrackedTaskContext } from '../../task/implementation.ts';
import type { Outcome } from '../../task/outcome.ts';
import type { AttemptHost } from '../../run/attempt.ts';
import { processMessage } from '../../run/process-message.ts';
import type { ReceivedMessage } from '../../sqs/received-message.ts';
import { defineTask, type TaskContract } from '../../task/task.ts';
import { payloadHashOf } from '../../send/prepared-task.ts';
import type { ForwardTask } from '../../send/task-continuation.ts';
import { type TaskEnd, taskEndSchema } from '../../task/task-end.ts';
import type { NextTask } from '../../task/next-task.ts';
import { StoreTracker } from '../store-tracker.ts';
import { TaskStore } from '../task-store.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { type Backends, startBackends } from '../../../tests/support/backends.ts';
import { eventually } from 'baton-dev/testing/eventually';
import type { SendTask } from '../../task/send-task.ts';
import * as z from 'zod';
import { messageBody, receivedMessage, textAttributes } from '../../../tests/support/messages.ts';

/** The contract of a tracked task with three attempts. */
export const work = defineTask({
  name: 'tests.tracked',
  queue: 'default',
  payload: z.object({ text: z.string() }),
  result: z.object({ length: z.int(), filler: z.string().optional() }),
  // After a rest of 1 s no wait is left, because clocks may differ by that much
  retry: { maxAttempts: 3, baseSeconds: 1, capSeconds: 1 },
  timeoutSeconds: 20,
  tracked: true,
});

/** The digest of the payload of its messages. */
export const WORK_HASH = payloadHashOf({ text: 'four' });

/** A handler of `work`. It may return a wrong result. */
export type Handler = (payload: { text: string }, context: TrackedTaskContext) => unknown;

/** Configures a receive of the task's message, and the worker that receives it. */
export interface RunOptions {
  readonly owner?: string;
  readonly leaseSeconds?: number;
  readonly change?: Partial<ReceivedMessage>;
  readonly notBefore?: string;
  /** The contract that the worker implements. Default: `work`. */
  readonly contract?: TaskContract;
  /** Sends next steps and listeners' tasks. Default: records them in `forwarded`. */
  readonly forward?: ForwardTask;
  /** Aborts when the worker must stop. */
  readonly signal?: AbortSignal;
  /** Sends the tasks of the handler. Default: sends nothing. */
  readonly send?: SendTask;
  /** Confirms that the lease of the message lasts. */
  readonly confirm?: AttemptHost['confirm'];
  /** Waits until nothing else runs in the worker. */
  readonly runAlone?: AttemptHost['runAlone'];
  /** The attempts of the contract, for this run. Default 3. */
  readonly maxAttempts?: number;
  /** The rest after an error, for this run, in seconds. Default 1. */
  readonly baseSeconds?: number;
  /** How long a task waits for a worker that knows it, in seconds. Default 600. */
  readonly patienceSeconds?: number;
}

/** A task store for one file of tests, and workers that run one task of it. */
export class TrackedWork {
  readonly backends: Backends;
  readonly store: TaskStore;
  /** The id of the current task. `begin` replaces it. */
  taskId = randomUUID();
  /** The subject of the task's message, if its sender has written one into the row. */
  subject: string | undefined;
  /** The messages sent after the end of tasks: next steps and listeners' tasks. */
  forwarded: { readonly next: NextTask; readonly payload: unknown; readonly subject?: string | undefined }[] =
    [];

  private constructor(backends: Backends) {
    this.backends = backends;
    // Calls Date.now each time, so that a test can replace it
    const now = () => Date.now();
    this.store = new TaskStore({ documents: backends.documents, table: backends.tasksTable, now });
  }

  /** Starts the task store. */
  static async start(): Promise<TrackedWork> {
    return new TrackedWork(await startBackends([]));
  }

  /** Continues with a new task. */
  begin(): void {
    this.taskId = randomUUID();
    this.subject = undefined;
    this.forwarded = [];
  }

  /** The ends of the task that listeners were told, in their order. */
  get told(): TaskEnd[] {
    const ends = this.forwarded.map(({ payload }) => taskEndSchema.safeParse(payload).data);
    return ends.filter((end) => end?.taskId === this.taskId) as TaskEnd[];
  }

  /** Records a message that is sent after an end. */
  readonly forward: ForwardTask = async (next, payload, { subject }) => {
    this.forwarded.push({ next, payload, subject });
  };

  /** Stops the task store. */
  stop(): Promise<void> {
    return this.backends.stop();
  }

  /** Lets a worker run a message of the task. */
  run(handler: Handler, options: RunOptions = {}): Promise<Outcome> {
    const {
      owner = 'w-1',
      leaseSeconds = 30,
      change,
      notBefore,
      contract: known = work,
      forward = this.forward,
      signal = new AbortController().signal,
      runAlone,
      maxAttempts = known.retry.maxAttempts,
      baseSeconds = known.retry.baseSeconds,
    } = options;
    const retry = { maxAttempts, baseSeconds, capSeconds: baseSeconds };
    const contract = { ...known, retry };
    const { taskId, subject } = this;
    const logger = createLogger({ service: 'tests', level: 'silent' });
    const processing = {
      implementations: new Implementations([implement(contract, handler as never)]),
      send: options.send ?? ((async () => ({ taskId: 'sent' })) as never),
      tracker: new StoreTracker({ store: this.store, forward, leaseSeconds, logger }),
      logger,
      worker: { id: owner, version: '1' },
      unknownTaskPatienceSeconds: options.patienceSeconds ?? 600,
      abortGraceSeconds: 0.2,
    };
    const message = receivedMessage({
      body: messageBody({ taskId, task: work.name, notBefore, subject, data: { text: 'four' } }),
      // As a task client sends it
      attributes: textAttributes({ 'baton.sent-at': '0' }),
      ...change,
    });
    const { confirm } = options;
    const own = { ...(runAlone && { runAlone }), ...(confirm && { confirm }) };
    const host = { signal, outlivedBy: () => undefined, ...own };
    return processMessage(message, 'default', host, processing);
  }

  /** Lets a worker start an attempt and die. `begins` records how the handler of a suspect started before that. */
  async crash(begins?: 'alone' | 'in company'): Promise<void> {
    const { taskId, store } = this;
    const { name: task, queue } = work;
    const claim = {
      taskId,
      task,
      queue,
      claimId: randomUUID(),
      owner: 'dead',
      payloadHash: WORK_HASH,
      leaseSeconds: 0,
    };
    // The lease of the crash before lasts to the end of its millisecond
    const row = await eventually('a claim', async () => {
      const claimed = await store.attempts.claim(claim);
      return claimed?.claimId === claim.claimId && claimed;
    });
    if (begins) await store.attempts.begins({ taskId, claimId: claim.claimId, token: row.token }, begins);
    await eventually('its lease to expire', () => Date.now() > (row.leaseUntilMs ?? 0));
  }
}
