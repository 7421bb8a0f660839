// Runs the schedules of a worker's contracts.
import type { Implementations } from '../../task/implementation.ts';
import { isScheduled, type ScheduledContract, type TaskContract } from '../../task/task.ts';
import type { SendTask } from '../../task/send-task.ts';
import type { TaskSchedules } from '../../tracked/task-schedules.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { type Clock, systemClock } from '../clock.ts';
import { Ticker } from './ticker.ts';

/** The queues that a worker serves. */
export interface ServedQueues {
  /** The queues whose tasks it runs itself. */
  readonly own: readonly string[];
  /** The queues whose messages functions run. */
  readonly lambda: readonly string[];
}

/**
 * The contracts whose schedules a worker runs: those on the queues that it serves. On its own queues it runs only the
 * schedules of contracts that it implements. On a function's queues it runs all of them, because a function cannot.
 *
 * @param contracts - contracts that it does not implement
 */
export function contractsToTick(
  implementations: Implementations,
  contracts: readonly TaskContract[],
  { own, lambda }: ServedQueues,
): ScheduledContract[] {
  const known = new Map([...contracts, ...implementations.contracts].map((each) => [each.name, each]));
  return [...known.values()]
    .filter(isScheduled)
    .filter(
      ({ name, queue }) =>
        lambda.includes(queue) || (own.includes(queue) && implementations.find(name) !== undefined),
    );
}

/** Configures a scheduler. */
export interface SchedulerOptions {
  readonly contracts: readonly ScheduledContract[];
  readonly schedules: TaskSchedules;
  readonly send: SendTask;
  readonly logger: Logger;
  /** Default: the system's clock. */
  readonly clock?: Clock;
}

/** Sends scheduled tasks when they are due. All workers with the same schedules do so, and each tick runs once. */
export class Scheduler {
  readonly #tickers: readonly Ticker[];

  constructor({ contracts, logger, clock = systemClock, ...options }: SchedulerOptions) {
    this.#tickers = contracts.map((contract) => {
      const { name: task, queue } = contract;
      return new Ticker({ ...options, contract, clock, logger: logger.child({ task, queue }) });
    });
  }

  /** The state of each schedule, as `/health/state` shows it. */
  get state() {
    return this.#tickers.map(({ state }) => state);
  }

  /** Starts ticking. Does not keep the process alive. */
  start(): void {
    for (const ticker of this.#tickers) ticker.start();
  }

  /** Stops ticking. Resolves once ticks that are being sent are recorded. */
  async stop(): Promise<void> {
    await Promise.all(this.#tickers.map((ticker) => ticker.stop()));
  }
}
