import { describe, expect, test } from '@jest/globals';
import type { IncomingMessage } from 'node:http';
import { RateLimit, type RateLimitOptions } from '../rate-limit.ts';
import { isNetwork } from '../trusted-proxies.ts';

let nowMs = 0;
/** A limit by the tests' clock. */
const limitOf = (options: Omit<RateLimitOptions, 'now'>) => new RateLimit({ ...options, now: () => nowMs });

const from = (remoteAddress: string, forwarded?: string): IncomingMessage =>
  ({ socket: { remoteAddress }, headers: { 'x-forwarded-for': forwarded } }) as never;

/** How many of some requests are answered. */
async function answered(limit: RateLimit, requests: readonly IncomingMessage[]): Promise<number> {
  const results = await Promise.allSettled(requests.map((request) => limit.check(request)));
  return results.filter(({ status }) => status === 'fulfilled').length;
}

const many = (count: number, of: (index: number) => IncomingMessage) =>
  Array.from({ length: count }, (_, index) => of(index));

describe('a caller', () => {
  test('has a burst, then the rate, and others have theirs', async () => {
    const limit = limitOf({ perSecond: 10, burst: 20, trustedProxies: [] });
    expect(
      await answered(
        limit,
        many(50, () => from('192.0.2.1')),
      ),
    ).toBe(20);
    expect(
      await answered(
        limit,
        many(50, () => from('192.0.2.2')),
      ),
    ).toBe(20);
    let later = 0;
    for (let second = 0; second < 10; second += 1) {
      nowMs += 1000;
      later += await answered(
        limit,
        many(50, () => from('192.0.2.1')),
      );
    }
    expect(later).toBe(100);
  });

  test.each([1, 3, 7, 100])(
    'has no more than the burst and what refills it, at any time: %d a second',
    async (perSecond) => {
      const limit = limitOf({ perSecond, burst: 20, trustedProxies: [] });
      const times: number[] = [];
      for (const step of [0, 500, 1, 999, 19_999, 2, 10_000, 3, 300, 30_000, 1]) {
        nowMs += step;
        const count = await answered(
          limit,
          many(30, () => from('192.0.2.1')),
        );
        times.push(...Array<number>(count).fill(nowMs));
      }
      const beyond = times.filter((at, last) =>
        times
          .slice(0, last + 1)
          .some((began, first) => last - first + 1 > 20 + (perSecond * (at - began)) / 1000 + 1e-6),
      );
      expect(beyond).toEqual([]);
    },
  );

  test('has its whole burst again after a rest', async () => {
    const limit = limitOf({ perSecond: 3, burst: 20, trustedProxies: [] });
    const all = many(50, () => from('192.0.2.1'));
    expect(await answered(limit, all)).toBe(20);
    nowMs += 20_000 / 3;
    expect(await answered(limit, all)).toBe(20);
    nowMs += 1000;
    expect(await answered(limit, all)).toBe(3);
  });

  test('is forgotten once it has its whole burst again', async () => {
    const limit = limitOf({ perSecond: 10, burst: 20, trustedProxies: [] });
    const strangers = many(500, (index) => from(`192.0.${index >> 8}.${index & 255}`));
    await answered(limit, strangers);
    expect(limit.callers).toBe(500);
    nowMs += 99;
    await answered(limit, [from('198.51.100.1')]);
    expect(limit.callers).toBe(501);
    nowMs += 1;
    await answered(limit, [from('198.51.100.2')]);
    expect(limit.callers).toBe(2);
  });

  test('is told when to try again', async () => {
    const limit = limitOf({ perSecond: 1, burst: 3, trustedProxies: [] });
    await answered(
      limit,
      many(3, () => from('192.0.2.1')),
    );
    await expect(limit.check(from('192.0.2.1'))).rejects.toMatchObject({
      kind: 'too-many-requests',
      status: 429,
      details: { headers: { 'retry-after': '1' } },
    });
  });

  test('is a network of IPv6 addresses, because it has all of them', async () => {
    const limit = limitOf({ perSecond: 1, burst: 5, trustedProxies: [] });
    expect(
      await answered(
        limit,
        many(20, (index) => from(`2001:db8::${index + 1}`)),
      ),
    ).toBe(5);
  });

  test('is not another one because it says so', async () => {
    const limit = limitOf({ perSecond: 1, burst: 5, trustedProxies: [] });
    expect(
      await answered(
        limit,
        many(20, (index) => from('192.0.2.1', `198.51.100.${index}`)),
      ),
    ).toBe(5);
  });

  test.each([
    ['an address', '10.0.0.7'],
    ['a network', '10.0.0.0/8'],
  ])(
    'is known behind a proxy that is trusted by %s, and cannot hide behind what it says itself',
    async (_what, proxy) => {
      const limit = limitOf({ perSecond: 1, burst: 5, trustedProxies: [proxy] });
      const forged = (index: number) => from('10.0.0.7', `198.51.100.${index}, 192.0.2.1`);
      expect(await answered(limit, many(20, forged))).toBe(5);
      expect(
        await answered(
          limit,
          many(20, () => from('10.0.0.7', '192.0.2.2')),
        ),
      ).toBe(5);
      expect(
        await answered(
          limit,
          many(20, () => from('::ffff:10.0.0.7', '192.0.2.3, 10.0.0.7')),
        ),
      ).toBe(5);
    },
  );
});

test.each([
  ['10.0.0.7', true],
  ['10.0.0.0/8', true],
  ['2001:db8::/32', true],
  ['gateway', false],
  ['10.0.0.0/33', false],
  ['10.0.0.0/8/8', false],
  ['', false],
])('%j is a network: %s', (text, is) => {
  expect(isNetwork(text)).toBe(is);
});
