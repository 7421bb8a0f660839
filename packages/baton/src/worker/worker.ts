import { within } from '../time/within.ts';
import type { Implementations } from '../task/implementation.ts';
import { QueueUrls } from '../sqs/queue-urls.ts';
import type { AttemptName } from '../run/running-attempt.ts';
import { TaskClient } from '../send/task-client.ts';
import type { TaskContract } from '../task/task.ts';
import { TaskStore } from '../tracked/task-store.ts';
import type { Logger } from '../telemetry/logger.ts';
import { logState } from '../telemetry/standard-output.ts';
import type { WorkerConfig } from './config.ts';
import type { Clock } from './clock.ts';
import { ComparedClock } from './compared-clock.ts';
import { connect, type Connections, disconnect } from './connections.ts';
import { ProcessGuard } from './process-guard.ts';
import type { RunningTask } from './running-task.ts';
import { contractsToTick, Scheduler } from './schedule/scheduler.ts';
import { lanesOf, localQueueWeights, serveLambda, serveLocal, SOURCE, threadsFor } from './serve-queues.ts';
import type { ServedQueue } from './served-queue.ts';
import { Slots } from './slots.ts';
import type { ThreadPool } from './threads/thread-pool.ts';

/** For releasing what was aborted. */
const RELEASE_MS = 5000;
const STOP_RESERVE_MS = 3000;
/** How much later a stop that cannot even end by itself is killed. */
const KILL_LATER_MS = 2000;

/** What a worker needs. */
export interface WorkerOptions {
  readonly config: WorkerConfig;
  /** What it can run. */
  readonly implementations: Implementations;
  /** The file that its threads run, whose default export is a `threadEntry`. Needed where a task wants a thread. */
  readonly threadEntry?: URL;
  /**
   * Contracts with a schedule that functions run, which it ticks where it serves their queues. Those that it implements
   * need not be among them.
   */
  readonly scheduled?: readonly TaskContract[];
  readonly logger: Logger;
  /** Its clients of AWS, which it closes when it has stopped. Default: by the environment. */
  readonly connections?: Connections;
  /** What its schedules go by. Default: the task store's time, while this process's clock agrees with it. */
  readonly clock?: Clock;
  /**
   * Whose the process is. `own` (default): the worker's, which ends it when it cannot be trusted any more. `shared`:
   * others', too: handlers are kept from ending it, and nothing else is done. `off`: nothing at all is done.
   */
  readonly processGuard?: 'own' | 'shared' | 'off';
}

/** A long-running worker: runs the messages of its queues within its slots, until it is stopped. */
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
  readonly #hurry = Promise.withResolvers<void>();
  #stopped: Promise<void> | undefined;

  /** @throws ConfigError when it is to serve a queue that it has no implementation for, or lacks an entry for threads */
  constructor(options: WorkerOptions) {
    const { config, implementations, scheduled = [], logger, threadEntry } = options;
    const { connections = connect(config), processGuard = 'own' } = options;
    this.#config = config;
    this.#logger = logger.child({ worker: config.workerId });
    this.#connections = connections;
    const weights = localQueueWeights(config, implementations);
    const local = [...weights.keys()];
    const lanes = lanesOf(local, implementations);
    this.#slots = new Slots(config.concurrency, weights, lanes);
    const threads = threadsFor(implementations, config, threadEntry, this.#logger);
    this.#threads = threads;
    const guard = processGuard === 'off' ? undefined : this.#guardOf(processGuard === 'own');
    this.#guard = guard;
    const store = new TaskStore({ documents: connections.documents, table: config.tasksTable });
    const compared = new ComparedClock({ store, connections, logger: this.#logger });
    this.#clock = compared;
    const { clock = compared } = options;
    const queueUrls = new QueueUrls(config.queueUrlPrefix);
    const tasks = new TaskClient({ sqs: connections.sending, queueUrls, source: SOURCE, records: store });
    const serving = {
      config,
      implementations,
      connections,
      store,
      tasks,
      threads,
      broker: compared.broker,
      logger: this.#logger,
      onBegin: guard && ((attempt: AttemptName) => guard.begins(attempt)),
    };
    this.#queues = [...serveLocal(serving, lanes, this.#slots), ...serveLambda(serving)];
    const lambda = config.lambdaQueues.map(({ queue }) => queue);
    this.#scheduler = new Scheduler({
      contracts: contractsToTick(implementations, scheduled, { local, lambda }),
      schedules: store.schedules,
      send: tasks.send,
      logger: this.#logger,
      clock,
    });
  }

  /** Starts receiving; does nothing where it was told to stop before. */
  start(): void {
    if (this.#stopped) return;
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
   * Stops: no new receives; running tasks have the drain time to finish; then their signals abort, and after the grace
   * what is left is released. Resolves once nothing is held. A second call does not wait for the drain time.
   */
  stop(): Promise<void> {
    if (this.#stopped) this.#hurry.resolve();
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /**
   * The longest that a stop takes, in milliseconds: the drain, what is aborted or polls, the release, the end of polls,
   * schedules and threads, and a reserve.
   */
  get stopLimitMs(): number {
    const { drainTimeoutSeconds, abortGraceSeconds, waitSeconds } = this.#config;
    const waitsMs = (drainTimeoutSeconds + Math.max(abortGraceSeconds, waitSeconds)) * 1000;
    return waitsMs + 4 * RELEASE_MS + STOP_RESERVE_MS;
  }

  /** What the worker does at this moment. */
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

  /** Resolves when every queue can be received from and the clock is right; rejects saying what is not so. */
  async ready(): Promise<void> {
    const troubled = this.state.queues.filter(({ receiving }) => !receiving).map(({ queue }) => queue);
    if (this.#stopped) throw new Error('The worker is stopping');
    if (troubled.length > 0) throw new Error(`Nothing is received from ${troubled.join(', ')}`);
    if (this.#clock.trouble !== undefined) throw new Error(this.#clock.trouble);
  }

  /** Rejects when every slot is held by a handler that ignores its signal: only a new process can help. */
  async live(): Promise<void> {
    const overdue = this.#running.filter((task) => task.overdue).length;
    if (overdue >= this.#slots.total)
      throw new Error(`All ${overdue} slots are held by handlers that heed no signal`);
  }

  async #stop(): Promise<void> {
    this.#logger.info({ held: this.#held }, 'worker stopping');
    this.#guard?.stopping(this.stopLimitMs + KILL_LATER_MS);
    this.#clock.stop();
    const quiet = this.#scheduler.stop();
    const idle = Promise.all(this.#queues.map((queue) => queue.drain()));
    const drained = await before(idle, this.#config.drainTimeoutSeconds * 1000, this.#hurry.promise);
    if (!drained) await this.#abort(idle);
    await before(quiet, RELEASE_MS);
    if (this.#threads) await before(this.#threads.close(), RELEASE_MS);
    disconnect(this.#connections);
    this.#logger.info({ held: this.#held }, 'worker stopped');
    if (this.#guard) await before(this.#guard.stop(), STOP_RESERVE_MS);
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
    this.#logger.warn({ held: this.#held }, 'no more time for what still runs: it is aborted and released');
    for (const queue of this.#queues) queue.abort();
    // A poll that is cut short would swallow the very message that is released: it is given the time that it waits
    const limitMs = Math.max(abortGraceSeconds, waitSeconds) * 1000 + RELEASE_MS;
    if (await before(idle, limitMs)) return;
    for (const queue of this.#queues) queue.abortPolls();
    if (await before(idle, RELEASE_MS)) return;
    this.#logger.error(
      { held: this.#held },
      'what is held could not be released; it comes back when its lease ends',
    );
  }

  get #held(): number {
    return this.#queues.reduce((sum, { held }) => sum + held, 0);
  }

  get #running(): RunningTask[] {
    return this.#queues.filter(({ executor }) => executor === 'own').flatMap(({ running }) => running);
  }
}

/** Whether `work` is done before the time is over, or before `sooner` ends the wait. */
async function before(work: Promise<unknown>, limitMs: number, sooner?: Promise<unknown>): Promise<boolean> {
  const ends = [work.then(() => true)];
  if (sooner) ends.push(sooner.then(() => false));
  return within(limitMs, Promise.race(ends), () => false);
}
