import { randomUUID } from 'node:crypto';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { implement, Implementations } from '@baton/common/queue/implementation';
import { processMessage } from '@baton/common/queue/process-message';
import { QueueUrls } from '@baton/common/queue/queue-urls';
import { defineTask, isScheduled, type ScheduledContract } from '@baton/common/queue/task';
import { TaskClient } from '@baton/common/queue/task-client';
import { StoreTracker } from '@baton/common/state/store-tracker';
import { TaskStore } from '@baton/common/state/task-store';
import { createLogger } from '@baton/common/telemetry/logger';
import { type Backends, startBackends } from '@baton/tests/backends';
import * as z from 'zod';
import { Scheduler } from '../scheduler.ts';
import { VirtualClock } from './virtual-clock.ts';

/** A task with a schedule, under a name that no other test has. */
export function scheduledTask(cron = '0 3 * * *', name = `tests.sweep-${randomUUID()}`): ScheduledContract {
  const contract = defineTask({
    name,
    queue: 'default',
    payload: z.object({ day: z.string().default('today') }),
    result: z.null(),
    retry: { maxAttempts: 3, baseSeconds: 1 },
    timeoutSeconds: 10,
    tracked: true,
    schedule: { cron, timeZone: 'UTC' },
  });
  if (!isScheduled(contract)) throw new TypeError('expected a schedule');
  return contract;
}

/** What stands between schedulers and what they use. */
interface Troubles {
  /** Called before each request to the task store; throws where it is away. */
  store: (command: object) => void;
  /** Called before each request to SQS. */
  broker: () => void;
}

/** Schedulers of one task, as several workers have them, on a clock of their own and with a real task store. */
export class ScheduledWork {
  readonly backends: Backends;
  readonly contract: ScheduledContract;
  readonly clock: VirtualClock;
  readonly troubles: Troubles = { store: () => undefined, broker: () => undefined };
  /** The bodies that SQS has taken. */
  readonly sent: string[] = [];
  /** The ids of the tasks that were run, in their order. */
  readonly ran: string[] = [];
  /** What the schedulers have logged. */
  readonly lines: Record<string, unknown>[] = [];
  readonly #running = new Set<Scheduler>();
  readonly #logger = createLogger({
    service: 'tests',
    to: { write: (line: string) => void this.lines.push(JSON.parse(line) as Record<string, unknown>) },
  });

  constructor(backends: Backends, { contract = scheduledTask(), at = '2026-11-25T02:00:00Z' } = {}) {
    this.backends = backends;
    this.contract = contract;
    this.clock = new VirtualClock(at, () => this.#running.size);
  }

  /** Starts the scheduler of one more worker. */
  start(contract = this.contract): Scheduler {
    const store = this.#store();
    const sqs = { send: async (command: never) => this.#take(command) } as unknown as SQSClient;
    const queueUrls = new QueueUrls('http://sqs/0/');
    const { send } = new TaskClient({ sqs, queueUrls, source: 'tests', records: store });
    const { clock } = this;
    const contracts = [contract];
    const scheduler = new Scheduler({
      contracts,
      schedules: store.schedules,
      send,
      clock,
      logger: this.#logger,
    });
    scheduler.start();
    this.#running.add(scheduler);
    return scheduler;
  }

  /** Stops all schedulers, or one. */
  async stop(...schedulers: Scheduler[]): Promise<void> {
    const stopped = schedulers.length > 0 ? schedulers : [...this.#running];
    for (const each of stopped) this.#running.delete(each);
    await Promise.all(stopped.map((each) => each.stop()));
  }

  /** Has a worker run every message that was sent, each as often as it was. */
  async runAll(): Promise<void> {
    const store = this.#store();
    const { ran } = this;
    const logger = createLogger({ service: 'tests', level: 'silent' });
    const task = implement(this.contract, (_payload, { taskId }) => (ran.push(taskId), null));
    const processing = {
      implementations: new Implementations([task]),
      send: (async () => ({ taskId: 'sent' })) as never,
      tracker: new StoreTracker({ store, forward: async () => undefined, leaseSeconds: 30, logger }),
      logger,
      worker: { id: 'w-1', version: '1' },
      unknownTaskPatienceSeconds: 600,
      abortGraceSeconds: 0.2,
    };
    const hold = { signal: new AbortController().signal, outlivedBy: () => undefined };
    for (const body of this.sent.splice(0)) {
      const message = { messageId: randomUUID(), receiptHandle: 'r', receiveCount: 1, body, attributes: {} };
      const times = { sentAtMs: Date.now(), firstReceivedAtMs: 0 };
      await processMessage({ ...message, ...times }, 'default', hold, processing);
    }
  }

  #store(): TaskStore {
    const send = async (command: never) => {
      this.troubles.store(command);
      return this.backends.documents.send(command);
    };
    const documents = { send } as never;
    return new TaskStore({ documents, table: this.backends.tasksTable, now: () => this.clock.nowMs });
  }

  #take({ input }: { input: { Entries: { Id: string; MessageBody: string }[] } }) {
    this.troubles.broker();
    this.sent.push(...input.Entries.map(({ MessageBody }) => MessageBody));
    return { Successful: input.Entries.map(({ Id }) => ({ Id })), Failed: [] };
  }
}

/** A store for the schedulers of a test file. */
export const startStore = (): Promise<Backends> => startBackends([]);
