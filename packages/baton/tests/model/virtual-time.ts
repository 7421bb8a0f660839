import { syncBuiltinESMExports } from 'node:module';
import { type Clock, install } from '@sinonjs/fake-timers';

const realImmediate = setImmediate;
/** More turns of the event loop than a task takes from the start of its handler to its end. */
const LAST_TURNS = 20;

/**
 * Time that jumps to the next timer when nothing else can run. It replaces all timers, dates and clocks of this
 * process. So hours of leases take milliseconds and happen in the same way each time.
 */
export class VirtualTime {
  readonly #clock: Clock;

  private constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Runs `work` in virtual time, starting at 0. Timers that are still pending when it ends never fire. */
  static async during<Result>(work: (time: VirtualTime) => Promise<Result>): Promise<Result> {
    const clock = install({ now: 0 });
    // Also replaces named imports of `node:timers/promises`
    syncBuiltinESMExports();
    try {
      return await work(new VirtualTime(clock));
    } finally {
      // Immediates that are still pending would never run, and neither would those that they set. So run several turns
      for (let turn = 0; turn < LAST_TURNS; turn += 1) {
        clock.tick(0);
        await settled();
      }
      clock.uninstall();
      syncBuiltinESMExports();
    }
  }

  /** The current time, in milliseconds since the start. */
  get nowMs(): number {
    return performance.now();
  }

  /** Sets the wall clock of all processes forward or back. That does not move any timer. */
  setWallClock(byMs: number): void {
    this.#clock.setSystemTime(this.#clock.now + byMs);
  }

  /**
   * Lets time pass until `done` returns true, or until `limitMs`. Calls `eachMoment` after each event.
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

/** Resolves once all promises that can settle have settled. */
function settled(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  realImmediate(resolve);
  return promise;
}
