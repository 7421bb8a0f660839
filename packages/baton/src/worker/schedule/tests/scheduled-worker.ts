import { randomUUID } from 'node:crypto';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { implement, Implementations } from '../../../task/implementation.ts';
import { processMessage } from '../../../run/process-message.ts';
import { QueueUrls } from '../../../sqs/queue-urls.ts';
import { defineTask, isScheduled, type ScheduledContract } from '../../../task/task.ts';
import { TaskClient } from '../../../send/task-client.ts';
import { StoreTracker } from '../../../tracked/store-tracker.ts';
import { TaskSchedules } from '../../../tracked/task-schedules.ts';
import { TaskStore } from '../../../tracked/task-store.ts';
import type { TaskTableOptions } from '../../../tracked/task-table.ts';
import { createLogger } from '../../../telemetry/logger.ts';
import { type Backends, startBackends } from '../../../../tests/support/backends.ts';
import * as z from 'zod';
import type { Clock } from '../../clock.ts';
import { Scheduler } from '../scheduler.ts';
import { VirtualClock } from './virtual-clock.ts';
import { receivedMessage } from '../../../../tests/support/messages.ts';

/** A task with a schedule and a name that no other test uses. */
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

/** Faults between schedulers and the services that they call. */
interface Troubles {
  /** Called before each request to the task store. Throws if the store is away. */
  store: (command: object) => void;
  /** Called before each request to SQS. Throws if SQS is away. */
  broker: () => void;
}

/** Configures the clock of one process, which may differ from the true time. */
export interface OwnClock {
  /** How far it is ahead of the true time, in milliseconds. Default 0. */
  aheadMs?: number;
  /**
   * Whether the process notices the difference. If it does, it uses the store's time and sends no ticks. Default: it
   * does not, like a worker of an older version, or one whose answers have no date.
   */
  noticed?: boolean;
}

/** The schedulers of one task in several workers, with a virtual clock and a real task store. */
export class ScheduledWork {
  readonly backends: Backends;
  readonly contract: ScheduledContract;
  readonly clock: VirtualClock;
  readonly troubles: Troubles = { store: () => undefined, broker: () => undefined };
  /** The bodies that SQS has accepted. */
  readonly sent: string[] = [];
  /** The ids of the tasks that ran, in their order. */
  readonly ran: string[] = [];
  /** The true times at which they ran, ISO 8601. */
  readonly ranAt: string[] = [];
  /** The log lines of the schedulers. */
  readonly lines: Record<string, unknown>[] = [];
  readonly #running = new Set<Scheduler>();
  /** The bodies that a worker has released, because their time has not come. */
  readonly #waiting: string[] = [];
  readonly #logger = createLogger({
    service: 'tests',
    to: { write: (line: string) => void this.lines.push(JSON.parse(line) as Record<string, unknown>) },
  });

  constructor(backends: Backends, { contract = scheduledTask(), at = '2026-11-25T02:00:00Z' } = {}) {
    this.backends = backends;
    this.contract = contract;
    this.clock = new VirtualClock(at, () => this.#running.size);
  }

  /** Starts the scheduler of another worker. */
  start(contract = this.contract, own: OwnClock = {}): Scheduler {
    const options = this.#optionsOf(() => unnoticedMs(own));
    const store = new TaskStore(options);
    const sqs = { send: async (command: never) => this.#take(command) } as unknown as SQSClient;
    const queueUrls = new QueueUrls('http://sqs/0/');
    const { send } = new TaskClient({ sqs, queueUrls, source: 'tests', records: store });
    const clock = this.#clockOf(own);
    const contracts = [contract];
    const scheduler = new Scheduler({
      contracts,
      schedules: new TaskSchedules(options),
      send,
      clock,
      logger: this.#logger,
    });
    scheduler.start();
    this.#running.add(scheduler);
    return scheduler;
  }

  /** Stops these schedulers. Default: all. */
  async stop(...schedulers: Scheduler[]): Promise<void> {
    const stopped = schedulers.length > 0 ? schedulers : [...this.#running];
    for (const each of stopped) this.#running.delete(each);
    await Promise.all(stopped.map((each) => each.stop()));
  }

  /** Lets a worker run all sent messages, duplicates too. A message that it releases comes again in the next call. */
  async runAll(aheadMs = 0): Promise<void> {
    const store = new TaskStore(this.#optionsOf(() => aheadMs));
    const logger = createLogger({ service: 'tests', level: 'silent' });
    const task = implement(this.contract, (_payload, { taskId }) => {
      this.ran.push(taskId);
      this.ranAt.push(new Date(this.clock.nowMs).toISOString());
      return null;
    });
    const processing = {
      implementations: new Implementations([task]),
      send: (async () => ({ taskId: 'sent' })) as never,
      tracker: new StoreTracker({ store, forward: async () => undefined, leaseSeconds: 30, logger }),
      logger,
      worker: { id: 'w-1', version: '1' },
      unknownTaskPatienceSeconds: 600,
      abortGraceSeconds: 0.2,
    };
    const host = { signal: new AbortController().signal, outlivedBy: () => undefined };
    for (const body of [...this.#waiting.splice(0), ...this.sent.splice(0)]) {
      const message = receivedMessage({ messageId: randomUUID(), body });
      const { kind } = await processMessage(message, 'default', host, processing);
      if (kind === 'release') this.#waiting.push(body);
    }
  }

  #clockOf(own: OwnClock): Clock {
    const { clock } = this;
    return {
      get nowMs() {
        return clock.nowMs + unnoticedMs(own);
      },
      get trouble() {
        return own.noticed ? 'the clock is wrong' : undefined;
      },
      wait: (forMs, signal) => clock.wait(forMs, signal),
    };
  }

  #optionsOf(aheadMs: () => number): TaskTableOptions {
    const send = async (command: never) => {
      this.troubles.store(command);
      return this.backends.documents.send(command);
    };
    const documents = { send } as never;
    return { documents, table: this.backends.tasksTable, now: () => this.clock.nowMs + aheadMs() };
  }

  #take({ input }: { input: { Entries: { Id: string; MessageBody: string }[] } }) {
    this.troubles.broker();
    this.sent.push(...input.Entries.map(({ MessageBody }) => MessageBody));
    return { Successful: input.Entries.map(({ Id }) => ({ Id })), Failed: [] };
  }
}

function unnoticedMs({ aheadMs = 0, noticed = false }: OwnClock): number {
  return noticed ? 0 : aheadMs;
}

/** Starts a task store for the schedulers of a test file. */
export const startStore = (): Promise<Backends> => startBackends([]);
