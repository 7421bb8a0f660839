import { syncBuiltinESMExports } from 'node:module';
import { type Clock, install } from '@sinonjs/fake-timers';

const realImmediate = setImmediate;
/** More turns of the event loop than a task takes from its handler's begin to its end. */
const LAST_TURNS = 20;

/**
 * Time that passes only when everything else has: every timer, every date and every measured time of this process
 * belong to it while it runs, so that hours of leases take milliseconds and happen the same way each time.
 */
export class VirtualTime {
  readonly #clock: Clock;

  private constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Runs `work` in virtual time, from 0 on; what is still due when it ends never happens. */
  static async during<Result>(work: (time: VirtualTime) => Promise<Result>): Promise<Result> {
    const clock = install({ now: 0 });
    // `node:timers/promises` as it was imported by name
    syncBuiltinESMExports();
    try {
      return await work(new VirtualTime(clock));
    } finally {
      // What waits for the end of a turn of the event loop would wait for ever, and all after it. One leads to the next
      for (let turn = 0; turn < LAST_TURNS; turn += 1) {
        clock.tick(0);
        await settled();
      }
      clock.uninstall();
      syncBuiltinESMExports();
    }
  }

  /** Now, in milliseconds since the beginning. */
  get nowMs(): number {
    return performance.now();
  }

  /** Sets the wall clock of all processes forward or back. No timer is due sooner or later by that. */
  setWallClock(byMs: number): void {
    this.#clock.setSystemTime(this.#clock.now + byMs);
  }

  /**
   * Lets time pass until `done`, or until `limitMs`; calls `eachMoment` whenever something has happened.
   * Resolves to whether it was done.
   */
  async pass(
    done: () => boolean,
    limitMs: number,
    eachMoment: () => void = () => undefined,
  ): Promise<boolean> {
    for (;;) {
      await settled();
      eachMoment();
      if (done()) return true;
      if (this.nowMs >= limitMs || this.#clock.countTimers() === 0) return false;
      this.#clock.next();
    }
  }
}

/** Resolves once every promise that can go on has gone on. */
function settled(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  realImmediate(resolve);
  return promise;
}
