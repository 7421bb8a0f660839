import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { IncomingMessage } from 'node:http';
import { RateLimit } from '../rate-limit.ts';
import { isNetwork } from '../trusted-proxies.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

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
    const limit = new RateLimit({ perSecond: 10, burst: 20, trustedProxies: [] });
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
      await jest.advanceTimersByTimeAsync(1000);
      later += await answered(
        limit,
        many(50, () => from('192.0.2.1')),
      );
    }
    expect(later).toBe(100);
  });

  test('is told when to try again', async () => {
    const limit = new RateLimit({ perSecond: 1, burst: 3, trustedProxies: [] });
    await answered(
      limit,
      many(3, () => from('192.0.2.1')),
    );
    await expect(limit.check(from('192.0.2.1'))).rejects.toMatchObject({
      kind: 'too-many-requests',
      status: 429,
      details: { headers: { 'retry-after': '3' } },
    });
  });

  test('is a network of IPv6 addresses, because it has all of them', async () => {
    const limit = new RateLimit({ perSecond: 1, burst: 5, trustedProxies: [] });
    expect(
      await answered(
        limit,
        many(20, (index) => from(`2001:db8::${index + 1}`)),
      ),
    ).toBe(5);
  });

  test('is not another one because it says so', async () => {
    const limit = new RateLimit({ perSecond: 1, burst: 5, trustedProxies: [] });
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
      const limit = new RateLimit({ perSecond: 1, burst: 5, trustedProxies: [proxy] });
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
