import type { Implementations } from '../../task/implementation.ts';
import { isScheduled, type ScheduledContract, type TaskContract } from '../../task/task.ts';
import type { SendTask } from '../../task/send-task.ts';
import type { TaskSchedules } from '../../tracked/task-schedules.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { type Clock, systemClock } from '../clock.ts';
import { Ticker } from './ticker.ts';

/** Which queues a worker serves, and how. */
export interface ServedQueues {
  /** The queues whose tasks it runs itself. */
  readonly local: readonly string[];
  /** The queues whose messages functions run. */
  readonly lambda: readonly string[];
}

/**
 * The contracts whose schedules a worker keeps: whoever serves a queue ticks what is due on it. Of a queue that it runs
 * itself those that it implements; of one whose messages a function runs all, for a function cannot tick.
 *
 * @param contracts - those that it does not implement
 */
export function contractsToTick(
  implementations: Implementations,
  contracts: readonly TaskContract[],
  { local, lambda }: ServedQueues,
): ScheduledContract[] {
  const known = new Map([...contracts, ...implementations.contracts].map((each) => [each.name, each]));
  return [...known.values()]
    .filter(isScheduled)
    .filter(
      ({ name, queue }) =>
        lambda.includes(queue) || (local.includes(queue) && implementations.find(name) !== undefined),
    );
}

/** What a scheduler needs. */
export interface SchedulerOptions {
  readonly contracts: readonly ScheduledContract[];
  readonly schedules: TaskSchedules;
  readonly send: SendTask;
  readonly logger: Logger;
  /** What they go by. Default: the system's. */
  readonly clock?: Clock;
}

/** Runs scheduled tasks when they are due, together with all other workers that keep the same schedules. */
export class Scheduler {
  readonly #tickers: readonly Ticker[];

  constructor({ contracts, logger, clock = systemClock, ...options }: SchedulerOptions) {
    this.#tickers = contracts.map((contract) => {
      const { name: task, queue } = contract;
      return new Ticker({ ...options, contract, clock, logger: logger.child({ task, queue }) });
    });
  }

  /** How it goes with each schedule. */
  get state() {
    return this.#tickers.map(({ state }) => state);
  }

  /** Starts ticking. Does not keep the process alive. */
  start(): void {
    for (const ticker of this.#tickers) ticker.start();
  }

  /** Sends no more ticks. Resolves once those that are being sent are noted. */
  async stop(): Promise<void> {
    await Promise.all(this.#tickers.map((ticker) => ticker.stop()));
  }
}
