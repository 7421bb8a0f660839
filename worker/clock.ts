import { setTimeout as sleep } from 'node:timers/promises';

/** The time of a process. */
export interface Clock {
  /** Now, in milliseconds since 1970. */
  readonly nowMs: number;
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
