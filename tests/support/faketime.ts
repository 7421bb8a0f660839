import { existsSync } from 'node:fs';

/** Where Debian's package `faketime` has its library, on the machines that Baton is developed on. */
const LIBRARIES = ['x86_64', 'aarch64'].map(
  (machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketimeMT.so.1`,
);
const library = LIBRARIES.find((path) => existsSync(path));

/** What is missing for wrong clocks on this machine; undefined where processes can be given one. */
export const missingForFaketime =
  library === undefined ? 'libfaketime (Debian: apt-get install faketime)' : undefined;

/**
 * The environment of a process whose wall clock differs from the machine's by so many seconds. Its monotonic clock goes
 * on as it is.
 */
export function clockOffBy(seconds: number): Readonly<Record<string, string>> {
  return {
    LD_PRELOAD: library ?? '',
    FAKETIME: `${seconds < 0 ? '-' : '+'}${Math.abs(seconds)}s`,
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  };
}
