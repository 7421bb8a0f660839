import { setTimeout as sleep } from 'node:timers/promises';

/** The time that a worker's schedules go by. */
export interface Clock {
  /** Now, in milliseconds since 1970. */
  readonly nowMs: number;
  /** Why nothing may be sent by this process's clock, in words; left out while it is right. */
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
