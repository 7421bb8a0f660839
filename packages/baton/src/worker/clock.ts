// The time that a worker's schedules use.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../telemetry/logger.ts';
import { ClockWatch } from '../time/clock-watch.ts';
import type { TaskStore } from '../tracked/task-store.ts';
import type { Connections } from './connections.ts';

/** How soon a worker notices that its clock was set, or is right again, in milliseconds. */
const CHECK_MS = 5000;

/** The time that a worker's schedules use. */
export interface Clock {
  /** Now, in milliseconds since 1970. */
  readonly nowMs: number;
  /** Why nothing may be sent by this clock, as a sentence. Undefined while the clock is right. */
  readonly trouble?: string | undefined;
  /** Resolves after so many milliseconds, or early when `signal` aborts. Does not keep the process alive. */
  wait(forMs: number, signal: AbortSignal): Promise<void>;
}

/** The system's clock. */
export const systemClock: Clock = {
  get nowMs() {
    return Date.now();
  },
  wait: (forMs, signal) => sleep(forMs, undefined, { signal, ref: false }).catch(() => undefined),
};

/** Configures a `ComparedClock`. */
export interface ComparedClockOptions {
  readonly store: TaskStore;
  readonly connections: Pick<Connections, 'receiving' | 'settling' | 'sending'>;
  readonly logger: Logger;
}

/** Shows the task store's time. Reports trouble while the process's clock differs from those of the store or of SQS. */
export class ComparedClock implements Clock {
  readonly #store: TaskStore;
  /** Compares this process's clock with SQS's, by the answers to all clients of the worker. */
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

  /** The part of `/health/state` that describes the clocks. */
  get state() {
    return { store: this.#store.clock.state, broker: this.broker.state };
  }

  /** Asks the task store for its time, now and after each change of the clock. Does not keep the process alive. */
  start(): void {
    if (!this.#store.clock.measures) return;
    void this.#check();
    this.#timer = setInterval(() => void this.#check(), CHECK_MS).unref();
  }

  /** Stops asking. */
  stop(): void {
    clearInterval(this.#timer);
  }

  /** Ignores failures: while the store is unavailable its time is unknown, and its users report that. */
  async #check(): Promise<void> {
    const { clock } = this.#store;
    if (clock.sure && !clock.differs) return;
    await (clock.differs ? this.#store.ping() : this.#store.now()).catch(() => undefined);
  }
}
