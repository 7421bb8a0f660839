import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The path of the library in Debian's package `faketime`, for this machine's architecture. */
const LIBRARY = `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/faketime/libfaketimeMT.so.1`;

/** The program that wrong clocks need and this machine lacks; undefined if nothing is missing. */
export const missingForWrongClocks = existsSync(LIBRARY)
  ? undefined
  : "libfaketime (Debian's package faketime)";

/** Sets the wall clock of programs. Does not change their monotonic clock, as NTP does not. */
export class WrongClock {
  readonly #folder = mkdtempSync(join(tmpdir(), 'clock-'));
  readonly #file = join(this.#folder, 'offset');

  /** @param aheadSeconds - how far the clock is ahead of the true time. Negative: behind */
  constructor(aheadSeconds: number) {
    this.set(aheadSeconds);
  }

  /** Environment variables of a program with this clock. */
  get environment(): Record<string, string> {
    return {
      LD_PRELOAD: LIBRARY,
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    };
  }

  /** Sets the clock of the running programs. */
  set(aheadSeconds: number): void {
    writeFileSync(this.#file, `${aheadSeconds < 0 ? '-' : '+'}${Math.abs(aheadSeconds)}\n`);
  }

  /** Deletes the file that sets the clock. */
  clear(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
