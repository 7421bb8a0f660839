import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';

const restedMs: number[] = [];
jest.unstable_mockModule('node:timers/promises', () => ({
  setTimeout: async (forMs: number) => void restedMs.push(forMs),
}));
const { Backoff, equalJitter, fullJitter, longestRest, retryUntil } = await import('../backoff.ts');

afterEach(() => {
  jest.restoreAllMocks();
});

function chance(value: number): void {
  jest.spyOn(Math, 'random').mockReturnValue(value);
}

describe('the longest rest', () => {
  test('doubles with each failure, up to its cap', () => {
    const range = { base: 100, cap: 500 };
    expect([0, 1, 2, 3, 2000].map((earlier) => longestRest(range, earlier))).toEqual([
      100, 200, 400, 500, 500,
    ]);
  });
});

describe('jitter', () => {
  test('keeps at least half of a rest if it is equal jitter', () => {
    expect([0, 0.5, 1].map((random) => equalJitter(100, random))).toEqual([50, 75, 100]);
    chance(0.5);
    expect(equalJitter(100)).toBe(75);
  });

  test('gives anything from 0 to the whole rest if it is full jitter', () => {
    chance(0.25);
    expect(fullJitter(100)).toBe(25);
  });
});

describe('a call that is retried until a deadline', () => {
  const away = new Error('away');

  beforeEach(() => {
    // Makes each rest as long as it may be
    chance(1);
    restedMs.length = 0;
  });

  test('is retried after growing rests until it succeeds', async () => {
    let calls = 0;
    const call = async (): Promise<string> => {
      calls += 1;
      if (calls < 9) throw away;
      return 'done';
    };
    await expect(retryUntil(Infinity, call, () => true)).resolves.toBe('done');
    expect(restedMs).toEqual([100, 200, 400, 800, 1600, 3200, 5000, 5000]);
  });

  test('is made only once if no time is left, or if no retry can succeed', async () => {
    const call = jest.fn(() => Promise.reject(away));
    await expect(retryUntil(0, call, () => true)).rejects.toBe(away);
    expect(call).toHaveBeenCalledTimes(1);
    await expect(retryUntil(Infinity, call, () => false)).rejects.toBe(away);
    expect(call).toHaveBeenCalledTimes(2);
  });

  test('is not retried if its rest would end after the deadline', async () => {
    const call = jest.fn(() => Promise.reject(away));
    // A time between the ends of the first rest and the second one
    await expect(retryUntil(performance.now() + 195, call, () => true)).rejects.toBe(away);
    expect(restedMs).toEqual([100]);
    expect(call).toHaveBeenCalledTimes(2);
  });
});

describe('a backoff', () => {
  const { signal } = new AbortController();

  test('rests longer after each failure, and starts again with a short rest after a success', async () => {
    chance(1);
    restedMs.length = 0;
    const backoff = new Backoff();
    expect(backoff.troubled).toBe(false);
    for (let failures = 0; failures < 9; failures += 1) await backoff.rest(signal);
    expect(backoff.troubled).toBe(true);
    backoff.reset();
    expect(backoff.troubled).toBe(false);
    await backoff.rest(signal);
    expect(restedMs).toEqual([200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 200]);
  });

  test('can pause for a second without a failure, by the given clock', async () => {
    const pausedMs: number[] = [];
    const backoff = new Backoff(async (forMs) => void pausedMs.push(forMs));
    await backoff.pause(signal);
    expect(pausedMs).toEqual([1000]);
    expect(backoff.troubled).toBe(false);
  });
});
