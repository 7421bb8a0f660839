// A backend in memory: queues, a task store and a task client.
import type { Processing } from '../run/processing.ts';
import { TaskClient } from '../send/task-client.ts';
import { type Implementation, Implementations } from '../task/implementation.ts';
import { createLogger, type Logger } from '../telemetry/logger.ts';
import { StoreTracker } from '../tracked/store-tracker.ts';
import { TaskStore } from '../tracked/task-store.ts';
import { MemorySqs, type VirtualClock } from './memory-sqs.ts';
import { MemoryTable } from './memory-table.ts';

/** The worker's id in dead letters and in the rows of tasks. */
export const WORKER_ID = 'test-worker';
const TABLE = 'tasks';
/** As a worker's default. A claim is renewed in real time while a handler runs. */
const LEASE_SECONDS = 30;
/** As a worker's default. */
const PATIENCE_SECONDS = 21_600;
const SOURCE = 'test';

/** A line of the log, as an object. */
export type LogLine = Readonly<Record<string, unknown>>;

/** Called by a wait for a task's result. The wait reads the task again once this resolves, and ends if it rejects. */
export type WaitForEnd = (taskId: string) => Promise<void>;

/** Configures a backend. */
export interface MemoryBackendOptions {
  readonly clock: VirtualClock;
  readonly waitForEnd: WaitForEnd;
  /** How long a handler may continue after its signal aborted, in seconds. */
  readonly abortGraceSeconds: number;
}

/** A task store whose waits for results run tasks. */
class MemoryTaskStore extends TaskStore {
  readonly waitForChange: WaitForEnd;

  constructor(table: MemoryTable, clock: VirtualClock, waitForEnd: WaitForEnd) {
    super({ documents: table.client, table: TABLE, now: () => clock.nowMs });
    this.waitForChange = waitForEnd;
  }
}

/** Queues, a task store, and a task client that uses both. */
export class MemoryBackend {
  readonly sqs: MemorySqs;
  readonly table = new MemoryTable();
  readonly store: TaskStore;
  readonly tasks: TaskClient;
  readonly logger: Logger;
  /** The log lines, in order. */
  readonly logs: LogLine[] = [];
  readonly #options: MemoryBackendOptions;

  constructor(options: MemoryBackendOptions) {
    const { clock, waitForEnd } = options;
    this.#options = options;
    this.sqs = new MemorySqs(clock);
    this.store = new MemoryTaskStore(this.table, clock, waitForEnd);
    const { client: sqs, queueUrls } = this.sqs;
    this.tasks = new TaskClient({ sqs, queueUrls, source: SOURCE, records: this.store });
    const write = (line: string): void => void this.logs.push(JSON.parse(line) as LogLine);
    this.logger = createLogger({ service: SOURCE, level: 'trace', to: { write } });
  }

  /** The parts that run messages of these implementations. */
  processing(implementations: readonly Implementation[]): Processing {
    const { store, tasks, logger } = this;
    const { clock, abortGraceSeconds } = this.#options;
    return {
      implementations: new Implementations(implementations),
      send: tasks.send,
      logger,
      worker: { id: WORKER_ID, version: 'test' },
      unknownTaskPatienceSeconds: PATIENCE_SECONDS,
      abortGraceSeconds,
      now: () => clock.nowMs,
      tracker: new StoreTracker({ store, forward: tasks.forward, leaseSeconds: LEASE_SECONDS, logger }),
      everyReceiveIsSeen: true,
    };
  }
}
