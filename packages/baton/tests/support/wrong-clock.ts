import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where Debian's package `faketime` has its library, by the machine's architecture. */
const LIBRARY = `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/faketime/libfaketimeMT.so.1`;

/** What a program needs whose clock a test sets, and this machine lacks; undefined where there is all of it. */
export const missingForWrongClocks = existsSync(LIBRARY)
  ? undefined
  : "libfaketime (Debian's package faketime)";

/** The wall clock of programs, which a test sets; their monotonic clock is left alone, as it is by a person or NTP. */
export class WrongClock {
  readonly #folder = mkdtempSync(join(tmpdir(), 'clock-'));
  readonly #file = join(this.#folder, 'offset');

  /** @param aheadSeconds - how far it is ahead of the true time; less than 0 where it is behind */
  constructor(aheadSeconds: number) {
    this.set(aheadSeconds);
  }

  /** What a program's environment needs. */
  get environment(): Record<string, string> {
    return {
      LD_PRELOAD: LIBRARY,
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    };
  }

  /** Sets the clock of the programs that run. */
  set(aheadSeconds: number): void {
    writeFileSync(this.#file, `${aheadSeconds < 0 ? '-' : '+'}${Math.abs(aheadSeconds)}\n`);
  }

  /** Forgets it. */
  clear(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
