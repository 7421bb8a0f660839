// A long-running worker: its parts, its start, its stop and its health.
import type { AttemptName } from '../run/running-attempt.ts';
import { TaskClient } from '../send/task-client.ts';
import { QueueUrls } from '../sqs/queue-urls.ts';
import type { Implementations } from '../task/implementation.ts';
import type { TaskContract } from '../task/task.ts';
import { partOfHeapBytes, Room } from '../process/room.ts';
import type { Logger } from '../telemetry/logger.ts';
import { logState } from '../telemetry/standard-output.ts';
import { within } from '../time/within.ts';
import { signaturesBy } from '../sqs/signatures.ts';
import { TaskSchedules } from '../tracked/task-schedules.ts';
import { TaskStore } from '../tracked/task-store.ts';
import { type Clock, ComparedClock } from './clock.ts';
import type { WorkerConfig } from './config.ts';
import { connect, type Connections, disconnect } from './connections.ts';
import { ProcessGuard } from './process-guard.ts';
import { lanesOf, ownQueueWeights } from './queue-weights.ts';
import type { RunningTask } from './running-task.ts';
import { contractsToTick, Scheduler } from './schedule/scheduler.ts';
import { serveLambdaQueues, serveOwnQueues } from './serve-queues.ts';
import type { ServedQueue } from './served-queue.ts';
import { Slots } from './slots.ts';
import { type ThreadPool, threadPoolFor } from './threads/thread-pool.ts';

/** The name of a worker as the source of the tasks that it sends. */
const SOURCE = 'worker';
/** How long the release of aborted messages may take, and each further step of a stop. */
const RELEASE_MS = 5000;
const STOP_RESERVE_MS = 3000;
/** How long after the limit of a stop the process is killed. */
const KILL_LATER_MS = 2000;

/** Configures a worker. */
export interface WorkerOptions {
  readonly config: WorkerConfig;
  /** The tasks that the worker can run. */
  readonly implementations: Implementations;
  /** The file that the worker's threads run. Its default export is a `threadEntry`. Required if a task's isolation is `thread`. */
  readonly threadEntry?: URL;
  /**
   * Contracts with a schedule that functions run. The worker runs their schedules if it serves their queues. Contracts
   * that the worker implements may be left out.
   */
  readonly scheduled?: readonly TaskContract[];
  /** Every contract that its tasks may lead to. Those that it implements may be left out. Default: none. */
  readonly contracts?: readonly TaskContract[];
  readonly logger: Logger;
  /** The worker's clients of AWS. It closes them when it has stopped. Default: made from the environment. */
  readonly connections?: Connections;
  /** The clock of its schedules. Default: the task store's time, while this process's clock agrees with it. */
  readonly clock?: Clock;
  /**
   * How the worker guards its process. `own` (default): the process belongs to the worker, which ends it after an uncaught
   * error of no task. `shared`: the worker only keeps handlers from ending the process. `off`: it does nothing.
   */
  readonly processGuard?: 'own' | 'shared' | 'off';
}

/** Runs the messages of its queues within its slots, until it is stopped. */
export class Worker {
  readonly #config: WorkerConfig;
  readonly #logger: Logger;
  readonly #slots: Slots;
  readonly #connections: Connections;
  readonly #queues: readonly ServedQueue[];
  readonly #scheduler: Scheduler;
  readonly #clock: ComparedClock;
  readonly #guard: ProcessGuard | undefined;
  readonly #threads: ThreadPool | undefined;
  /** Resolves when a second call of `stop` ends the drain time. */
  readonly #drainSkipped = Promise.withResolvers<void>();
  #stopped: Promise<void> | undefined;

  /** @throws ConfigError if it is configured to serve a queue that it has no implementation for, or lacks an entry for threads */
  constructor(options: WorkerOptions) {
    const { config, implementations, scheduled = [], contracts = [], threadEntry } = options;
    const { connections = connect(config), processGuard = 'own' } = options;
    const logger = options.logger.child({ worker: config.workerId });
    this.#config = config;
    this.#logger = logger;
    this.#connections = connections;
    const { concurrency, queueUrlPrefix, tasksTable } = config;
    const weights = ownQueueWeights(config, implementations);
    const own = [...weights.keys()];
    const lanes = lanesOf(own, implementations);
    this.#slots = new Slots(concurrency, weights, lanes);
    const sender = { queueUrlPrefix, source: SOURCE, tasksTable };
    const threads = threadPoolFor(implementations, threadEntry, { threads: concurrency, sender, logger });
    this.#threads = threads;
    const guard = processGuard === 'off' ? undefined : this.#guardOf(processGuard === 'own');
    this.#guard = guard;
    const signatures = signaturesBy(config.signing?.(() => connections.sending.config.credentials()));
    const store = new TaskStore({ documents: connections.documents, table: tasksTable, signatures });
    const compared = new ComparedClock({ store, connections, logger });
    this.#clock = compared;
    const { clock = compared } = options;
    const queueUrls = new QueueUrls(queueUrlPrefix);
    const sending = { sqs: connections.sending, queueUrls, source: SOURCE };
    const tasks = new TaskClient({ ...sending, records: store, signatures });
    const parts = {
      config,
      implementations,
      contracts: [...implementations.contracts, ...contracts],
      connections,
      store,
      tasks,
      threads,
      broker: compared.broker,
      messages: new Room(partOfHeapBytes()),
      logger,
      onBegin: guard && ((attempt: AttemptName) => guard.begins(attempt)),
    };
    this.#queues = [...serveOwnQueues(parts, lanes, this.#slots), ...serveLambdaQueues(parts)];
    const lambda = config.lambdaQueues.map(({ queue }) => queue);
    this.#scheduler = new Scheduler({
      contracts: contractsToTick(implementations, scheduled, { own, lambda }),
      schedules: new TaskSchedules({ documents: connections.documents, table: tasksTable }),
      send: tasks.send,
      logger,
      clock,
    });
  }

  /** Starts receiving. Does nothing if the worker was stopped before. */
  start(): void {
    if (this.#stopped) return;
    for (const warning of this.#config.warnings ?? []) this.#logger.warn(warning);
    this.#guard?.start();
    this.#clock.start();
    for (const queue of this.#queues) queue.start();
    this.#scheduler.start();
    const queues = this.state.queues.map(({ queue, executor }) => `${queue} (${executor})`);
    const schedules = this.state.schedules.map(({ task }) => task);
    const { version, revision } = this.#config;
    this.#logger.info({ version, revision, queues, slots: this.#slots.total, schedules }, 'worker started');
  }

  /**
   * Stops gracefully: receives nothing more, and lets running tasks finish within the drain time. Then aborts their
   * signals, and releases the messages of those that still run after the grace. Resolves once no message is held. A second
   * call skips the drain time.
   */
  stop(): Promise<void> {
    if (this.#stopped) this.#drainSkipped.resolve();
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /**
   * The longest that a stop takes, in milliseconds: the drain time, the grace or a poll's wait, four steps (release, end of
   * polls, schedules, threads), and a reserve.
   */
  get stopLimitMs(): number {
    const { drainTimeoutSeconds, abortGraceSeconds, waitSeconds } = this.#config;
    const waitsMs = (drainTimeoutSeconds + Math.max(abortGraceSeconds, waitSeconds)) * 1000;
    return waitsMs + 4 * RELEASE_MS + STOP_RESERVE_MS;
  }

  /** The current state, as `/health/state` shows it. */
  get state() {
    return {
      worker: this.#config.workerId,
      version: this.#config.version,
      revision: this.#config.revision,
      stopping: this.#stopped !== undefined,
      slots: { total: this.#slots.total, free: this.#slots.free },
      queues: this.#queues.map(({ state }) => state),
      schedules: this.#scheduler.state,
      clocks: this.#clock.state,
      logs: logState(),
    };
  }

  /** Resolves if the worker receives from every queue and its clock is right. Otherwise rejects with the reason. */
  async ready(): Promise<void> {
    const troubled = this.state.queues.filter(({ receiving }) => !receiving).map(({ queue }) => queue);
    if (this.#stopped) throw new Error('The worker is stopping');
    if (troubled.length > 0) throw new Error(`The worker cannot receive from ${troubled.join(', ')}`);
    if (this.#clock.trouble !== undefined) throw new Error(this.#clock.trouble);
  }

  /** Rejects if unresponsive handlers hold every slot: only a new process can help. */
  async live(): Promise<void> {
    const overdue = this.#running.filter((task) => task.overdue).length;
    if (overdue >= this.#slots.total)
      throw new Error(`Handlers that ignore their signal hold all ${overdue} slots`);
  }

  async #stop(): Promise<void> {
    this.#logger.info({ held: this.#held }, 'worker stopping');
    this.#guard?.stopping(this.stopLimitMs + KILL_LATER_MS);
    this.#clock.stop();
    const schedulesEnded = this.#scheduler.stop();
    const idle = Promise.all(this.#queues.map((queue) => queue.drain()));
    const drainMs = this.#config.drainTimeoutSeconds * 1000;
    const skipped = this.#drainSkipped.promise.then(() => false);
    const drained = await within(drainMs, Promise.race([idle.then(() => true), skipped]), () => false);
    if (!drained) await this.#abort(idle);
    await endsWithin(RELEASE_MS, schedulesEnded);
    if (this.#threads) await endsWithin(RELEASE_MS, this.#threads.close());
    disconnect(this.#connections);
    this.#logger.info({ held: this.#held }, 'worker stopped');
    if (this.#guard) await endsWithin(STOP_RESERVE_MS, this.#guard.stop());
  }

  #guardOf(ownsProcess: boolean): ProcessGuard {
    const running = () => this.#running.map((task) => task.describe());
    return new ProcessGuard({
      logger: this.#logger,
      ownsProcess,
      leaseSeconds: this.#config.leaseSeconds,
      running,
      stop: () => this.stop(),
      stopLimitMs: this.stopLimitMs,
    });
  }

  async #abort(idle: Promise<unknown>): Promise<void> {
    const { abortGraceSeconds, waitSeconds } = this.#config;
    this.#logger.warn({ held: this.#held }, 'drain time is over: running tasks are aborted and released');
    for (const queue of this.#queues) queue.abort();
    // A poll that is aborted may hide a message that was just released. So polls end by themselves
    const limitMs = Math.max(abortGraceSeconds, waitSeconds) * 1000 + RELEASE_MS;
    if (await endsWithin(limitMs, idle)) return;
    for (const queue of this.#queues) queue.abortPolls();
    if (await endsWithin(RELEASE_MS, idle)) return;
    this.#logger.error(
      { held: this.#held },
      'messages could not be released; they come back when their leases expire',
    );
  }

  get #held(): number {
    return this.#queues.reduce((sum, { held }) => sum + held, 0);
  }

  get #running(): RunningTask[] {
    return this.#queues.filter(({ executor }) => executor === 'own').flatMap(({ running }) => running);
  }
}

/** Whether `work` ends within so many milliseconds. */
function endsWithin(limitMs: number, work: Promise<unknown>): Promise<boolean> {
  return within(
    limitMs,
    work.then(() => true),
    () => false,
  );
}
