import { ClockWatch } from '../time/clock-watch.ts';
import type { TaskStore } from '../tracked/task-store.ts';
import type { Logger } from '../telemetry/logger.ts';
import { type Clock, systemClock } from './clock.ts';
import type { Connections } from './connections.ts';

/** So soon a clock that was set is noticed, and one that is right again, in milliseconds. */
const CHECK_MS = 5000;

/** What a worker's clock is compared by. */
export interface ComparedClockOptions {
  readonly store: TaskStore;
  readonly connections: Pick<Connections, 'receiving' | 'settling' | 'sending'>;
  readonly logger: Logger;
}

/** A worker's clock, compared with the clocks of its task store and its broker. It gives the task store's time. */
export class ComparedClock implements Clock {
  readonly #store: TaskStore;
  /** SQS's, by the answers to all of the worker's clients. */
  readonly broker: ClockWatch;
  #timer: NodeJS.Timeout | undefined;

  constructor({ store, connections: { receiving, settling, sending }, logger }: ComparedClockOptions) {
    this.#store = store;
    this.broker = ClockWatch.of(settling, receiving, sending);
    for (const watch of [store.clock, this.broker]) watch.reportTo(logger);
  }

  get nowMs(): number {
    return this.#store.clock.nowMs;
  }

  get trouble(): string | undefined {
    return this.#store.clock.trouble ?? this.broker.trouble;
  }

  wait(forMs: number, signal: AbortSignal): Promise<void> {
    return systemClock.wait(forMs, signal);
  }

  /** For `/health/state`. */
  get state() {
    return { store: this.#store.clock.state, broker: this.broker.state };
  }

  /** Asks the task store for its time, now and whenever the clock was set. Does not keep the process alive. */
  start(): void {
    if (!this.#store.clock.measures) return;
    void this.#check();
    this.#timer = setInterval(() => void this.#check(), CHECK_MS).unref();
  }

  /** Asks no more. */
  stop(): void {
    clearInterval(this.#timer);
  }

  /** While the store is away its time is unknown; whoever needs the store says so. */
  async #check(): Promise<void> {
    const { clock } = this.#store;
    if (clock.sure && !clock.differs) return;
    await (clock.differs ? this.#store.ping() : this.#store.now()).catch(() => undefined);
  }
}
