// Sends the ticks of one schedule.
import { TaskConflictError } from '../../task/errors.ts';
import { lastTick, nextTick, tickTaskId, tickTime } from '../../task/schedule.ts';
import type { SendTask } from '../../task/send-task.ts';
import type { ScheduledContract } from '../../task/task.ts';
import { isDue, type ScheduleRow, type TaskSchedules } from '../../tracked/task-schedules.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { reasonOf } from '../../telemetry/thrown.ts';
import { Backoff } from '../../time/backoff.ts';
import type { Clock } from '../clock.ts';

/** The longest wait. A clock that was set, or a machine that was suspended, is noticed within this time. */
const LOOK_AGAIN_MS = 60_000;
/** How often the store is read while no tick is due: a worker with a wrong clock may have recorded a future tick. */
const ASK_AGAIN_MS = 600_000;
/** The wait while the clock is wrong. It is short, so that a tick is not late once the clock is right. */
const LOOK_AT_WRONG_CLOCK_MS = 5000;
/** Each worker delays a tick by a random part of this time, so that most workers find the tick already sent. */
const SPREAD_MS = 2000;

/** Configures a ticker. */
export interface TickerOptions {
  readonly contract: ScheduledContract;
  readonly schedules: TaskSchedules;
  readonly send: SendTask;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Sends the ticks of one schedule. Every worker with this schedule does so, and the task store turns them into one run. If
 * all workers missed ticks, or the store or the broker was unavailable, only the last missed tick is sent.
 *
 * It uses the task store's time. While this process's clock differs from the store's or the broker's, it sends no ticks;
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

  /** The schedule's state, as `/health/state` shows it. */
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

  /** Stops ticking. Resolves once a tick that is being sent is recorded. */
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

  /** Sends the last tick if no worker has sent it. */
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
    // Send first, then record: a crash in between repeats the tick. The other order would lose it
    this.#seen = await schedules.record(contract, tick);
  }

  /** Reads the schedule's row. That also measures the store's time again if this process's clock was set. */
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
      // No worker runs it before its time, even if a wrong clock sent it early
      await send(contract, {}, { taskId, notBefore: tick });
      logger.info({ taskId }, `${contract.name} sent for ${time}`);
    } catch (error) {
      // A worker of another version has sent it, in whose contract {} means another payload
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
