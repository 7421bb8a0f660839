import { describe, expect, test } from '@jest/globals';
import { median, percentile, ratios, roundByRound, spreadOf } from '../statistics.ts';

/** Values of rounds 1, 2, ...; undefined for a missing round. */
const rounds = (...values: readonly (number | undefined)[]): Map<number, number> =>
  new Map(values.flatMap((value, place) => (value === undefined ? [] : [[place + 1, value]])));

describe('the median', () => {
  test('is the value in the middle, in any order of the values', () => {
    expect(median([30, 1, 2])).toBe(2);
  });

  test('of an even count lies between the two values in the middle', () => {
    expect(median([4, 1, 3, 100])).toBe(3.5);
  });

  test('of no values is an error', () => {
    expect(() => median([])).toThrow('percentile 50 needs at least one value');
  });
});

test('a percentile is interpolated between its neighbours', () => {
  const values = Array.from({ length: 101 }, (_, value) => value).toReversed();
  expect(percentile(values, 0.99)).toBe(99);
  expect(percentile([0, 10], 0.99)).toBeCloseTo(9.9);
  expect(percentile([7], 0.5)).toBe(7);
});

describe('a spread', () => {
  test('has the median, the quartiles, the least and the greatest', () => {
    expect(spreadOf([5, 1, 2, 4, 3])).toEqual({
      median: 3,
      min: 1,
      lowerQuartile: 2,
      upperQuartile: 4,
      max: 5,
      count: 5,
    });
  });

  test('of a single round is that round', () => {
    const { median: middle, min, max, count } = spreadOf([42]);
    expect([middle, min, max, count]).toEqual([42, 42, 42, 1]);
  });
});

describe('ratios', () => {
  test('compare values of the same round, so that a slow round does not count', () => {
    expect([...ratios(rounds(10, 2, 30), rounds(5, 1, 10)).values()]).toEqual([2, 2, 3]);
  });

  test('leave out a round that one series lacks', () => {
    expect(ratios(rounds(10, undefined, 30), rounds(5, 1))).toEqual(rounds(2));
    expect(ratios(rounds(), rounds(1, 2)).size).toBe(0);
  });
});

test('any number of series can be joined round by round', () => {
  const sums = roundByRound([rounds(1, 2), rounds(10, 20), rounds(100, 200)], (...values) =>
    values.reduce((sum, value) => sum + value, 0),
  );
  expect(sums).toEqual(rounds(111, 222));
  expect(roundByRound([], () => 1).size).toBe(0);
});
