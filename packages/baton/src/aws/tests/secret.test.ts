import { beforeEach, describe, expect, test } from '@jest/globals';
import { KeptSecret } from '../secret.ts';

const MINUTE_MS = 60_000;
let nowMs: number;
let kept: string | Error;
let reads: number;
let secret: KeptSecret<string>;
beforeEach(() => {
  nowMs = 0;
  reads = 0;
  kept = 'first';
  secret = new KeptSecret({
    now: () => nowMs,
    read: async () => {
      reads += 1;
      if (kept instanceof Error) throw kept;
      return kept;
    },
  });
});

describe('a secret', () => {
  test('is read when it is first needed, once for all who wait for it', async () => {
    expect(reads).toBe(0);
    await expect(Promise.all([secret.value(), secret.value()])).resolves.toEqual(['first', 'first']);
    await secret.value();
    expect(reads).toBe(1);
  });

  test('is read again after 15 minutes', async () => {
    await secret.value();
    kept = 'second';
    nowMs = 15 * MINUTE_MS - 1;
    await expect(secret.value()).resolves.toBe('first');
    nowMs += 1;
    await expect(secret.value()).resolves.toBe('second');
  });

  test('is read again at once if a server refused it', async () => {
    const refused = await secret.value();
    kept = 'second';
    secret.refused(refused);
    await expect(secret.value()).resolves.toBe('second');
    // Others were refused with the old value at the same time
    secret.refused(refused);
    await secret.value();
    expect(reads).toBe(2);
  });

  test('is not read again and again because a server refuses the same value', async () => {
    for (let refusals = 0; refusals < 100; refusals += 1) {
      secret.refused(await secret.value());
      nowMs += 100;
    }
    // 10 seconds, and at most one read in 5
    expect(reads).toBe(3);
  });

  test('counts for another 30 s if it cannot be read again', async () => {
    await secret.value();
    kept = new Error('away');
    nowMs = 15 * MINUTE_MS;
    await expect(secret.value()).resolves.toBe('first');
    nowMs += 29_999;
    await secret.value();
    expect(reads).toBe(2);
    kept = 'second';
    nowMs += 1;
    await expect(secret.value()).resolves.toBe('second');
  });

  test('that a server refused does not count if it cannot be read again', async () => {
    secret.refused(await secret.value());
    kept = new Error('away');
    await expect(secret.value()).rejects.toThrow('away');
    kept = 'second';
    await expect(secret.value()).resolves.toBe('second');
  });

  test('that cannot be read is tried again by the next call', async () => {
    kept = new Error('away');
    await expect(secret.value()).rejects.toThrow('away');
    kept = 'first';
    await expect(secret.value()).resolves.toBe('first');
  });
});
