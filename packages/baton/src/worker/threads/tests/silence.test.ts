import { describe, expect, test } from '@jest/globals';
import { Silence } from '../silence.ts';

const PERIOD_MS = 100;

/**
 * Looks at these times. `beat` tells whether the event loop has turned since the last look. Returns the last silence.
 */
function silenceAfter(
  looks: readonly (readonly [nowMs: number, beat: boolean, debugged?: boolean])[],
): number {
  const silence = new Silence(PERIOD_MS);
  let beats = 1;
  let silentMs = 0;
  for (const [nowMs, beat, debugged = false] of looks) {
    if (beat) beats += 1;
    silentMs = silence.look({ nowMs, beats, debugged });
  }
  return silentMs;
}

describe('the silence of an event loop', () => {
  test('grows from the last heartbeat on while no new one comes', () => {
    expect(
      silenceAfter([
        [0, true],
        [100, true],
        [200, false],
        [310, false],
        [400, false],
      ]),
    ).toBe(300);
  });

  test('ends with a heartbeat', () => {
    expect(
      silenceAfter([
        [0, true],
        [100, false],
        [200, false],
        [300, true],
      ]),
    ).toBe(0);
  });

  test('hardly grows while the watchdog does not run, because the machine may be suspended', () => {
    expect(
      silenceAfter([
        [0, true],
        [100, true],
        [3_600_000, false],
      ]),
    ).toBe(2 * PERIOD_MS);
  });

  test('does not grow while a debugger may pause the loop', () => {
    expect(
      silenceAfter([
        [0, true],
        [100, false, true],
        [200, false, true],
        [300, false, true],
      ]),
    ).toBe(0);
  });
});
