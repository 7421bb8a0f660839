import { describe, expect, test } from '@jest/globals';
import { callerOf, PeerShares } from '../peer-shares.ts';

describe('what all callers share', () => {
  test('is at most half with one of them', () => {
    const shares = new PeerShares(10);
    expect([shares.take('a', 5), shares.take('a', 1)]).toEqual([true, false]);
    shares.giveBack('a', 5);
    expect([shares.take('b', 6), shares.take('b', 5)]).toEqual([false, true]);
  });

  test.each([2, 3, 4])('leaves something to one more while %s of them take all that they get', (greedy) => {
    const shares = new PeerShares(256);
    for (let peer = 0; peer < greedy; peer += 1) while (shares.take(`greedy ${peer}`, 1));
    expect(shares.take('one more', 1)).toBe(true);
  });
});

describe('a caller', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::9', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['', ''],
  ])('at %s is %s', (address, caller) => {
    expect(callerOf(address)).toBe(caller);
  });
});
