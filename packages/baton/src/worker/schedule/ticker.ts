import { TaskConflictError } from '../../task/errors.ts';
import { lastTick, nextTick, tickTaskId, tickTime } from '../../task/schedule.ts';
import type { SendTask } from '../../task/send-task.ts';
import type { ScheduledContract } from '../../task/task.ts';
import { isDue, type ScheduleRow, type TaskSchedules } from '../../tracked/task-schedules.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { reasonOf } from '../../telemetry/thrown.ts';
import { Backoff } from '../../time/backoff.ts';
import type { Clock } from '../clock.ts';

/** No wait is longer: a clock that was set, or a machine that slept, is noticed within that. */
const LOOK_AGAIN_MS = 60_000;
/** So often the store is asked though no tick is due: a worker with a wrong clock may have noted one that is ahead. */
const ASK_AGAIN_MS = 600_000;
/** While the clock is wrong it is looked at more often, at no cost: a tick is not late once it is right. */
const LOOK_AT_WRONG_CLOCK_MS = 5000;
/** Workers that keep one schedule send its ticks within that time of each other, so that most find them sent. */
const SPREAD_MS = 2000;

/** What a ticker needs. */
export interface TickerOptions {
  readonly contract: ScheduledContract;
  readonly schedules: TaskSchedules;
  readonly send: SendTask;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Sends the ticks of one schedule, as every worker does that keeps it: the task store makes one run of them. Of the
 * ticks that were missed, by all workers or for want of a store or a broker, the last one is sent.
 *
 * It goes by the task store's time. While this process's clock differs from that, or from the broker's, it sends none:
 * other workers do.
 */
export class Ticker {
  readonly #options: TickerOptions;
  readonly #stop = new AbortController();
  readonly #backoff: Backoff;
  #seen: ScheduleRow | undefined;
  #askedAtMs = -Infinity;
  #running: Promise<void> | undefined;

  constructor(options: TickerOptions) {
    this.#options = options;
    this.#backoff = new Backoff((forMs, signal) => options.clock.wait(forMs, signal));
  }

  /** How it goes with this schedule. */
  get state() {
    const { contract, clock } = this.#options;
    return {
      task: contract.name,
      queue: contract.queue,
      ...contract.schedule,
      ticking: this.#seen !== undefined && !this.#backoff.troubled && clock.trouble === undefined,
      nextTick: nextTick(contract.schedule, new Date(clock.nowMs))?.toISOString() ?? null,
      lastTick: this.#seen?.lastTick ?? null,
    };
  }

  /** Starts ticking. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Sends no more ticks. Resolves once one that is being sent is noted. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  get #stopping(): boolean {
    return this.#stop.signal.aborted;
  }

  async #run(): Promise<void> {
    const { contract, clock, logger } = this.#options;
    const { signal } = this.#stop;
    while (!this.#stopping) {
      try {
        await this.#look();
        if (this.#backoff.troubled) logger.info(`ticking ${contract.name} again`);
        this.#backoff.reset();
        await clock.wait(this.#untilNextMs(), signal);
      } catch (error) {
        if (!this.#backoff.troubled)
          logger.error({ error }, `cannot tick ${contract.name}: ${reasonOf(error)}`);
        await this.#backoff.rest(signal);
      }
    }
  }

  /** Sends the last tick if nobody has. */
  async #look(): Promise<void> {
    const { contract, schedules, clock } = this.#options;
    if (!this.#seen || clock.nowMs - this.#askedAtMs >= ASK_AGAIN_MS) await this.#see();
    if (!this.#due) return;
    await clock.wait(Math.random() * SPREAD_MS, this.#stop.signal);
    await this.#see();
    const tick = this.#due;
    if (!tick || this.#stopping) return;
    await schedules.reopen(contract, tick);
    await this.#send(tick);
    // Not before: of a crash between the two comes the same task once more, of one the other way round would come none
    this.#seen = await schedules.note(contract, tick);
  }

  /** Also learns the store's time, where this process's clock was set. */
  async #see(): Promise<void> {
    const { contract, schedules, clock } = this.#options;
    this.#seen = await schedules.see(contract);
    this.#askedAtMs = clock.nowMs;
  }

  get #due(): Date | undefined {
    const { contract, clock } = this.#options;
    if (clock.trouble !== undefined) return undefined;
    const tick = lastTick(contract.schedule, new Date(clock.nowMs));
    return tick && this.#seen && isDue(tick, this.#seen) ? tick : undefined;
  }

  async #send(tick: Date): Promise<void> {
    const { contract, send, logger } = this.#options;
    const time = tickTime(tick);
    const taskId = tickTaskId(contract.name, time);
    try {
      // Whatever clock sent it, no worker runs it before its time
      await send(contract, {}, { taskId, notBefore: tick });
      logger.info({ taskId }, `${contract.name} sent for ${time}`);
    } catch (error) {
      // A worker of another version has sent it, for whom {} is another payload
      if (!(error instanceof TaskConflictError)) throw error;
      logger.warn({ taskId, error }, `${contract.name} was sent for ${time} by another: ${error.message}`);
    }
  }

  #untilNextMs(): number {
    const { contract, clock } = this.#options;
    const { nowMs, trouble } = clock;
    if (trouble !== undefined) return LOOK_AT_WRONG_CLOCK_MS;
    const next = nextTick(contract.schedule, new Date(nowMs));
    return Math.min(LOOK_AGAIN_MS, next ? next.getTime() - nowMs : LOOK_AGAIN_MS);
  }
}
