import { expect, test } from '@jest/globals';
import { retryDelaySeconds } from '../retry-policy.ts';

const policy = { maxAttempts: 10, baseSeconds: 60 };

test('the rest doubles with each attempt, up to its cap', () => {
  expect([1, 2, 3, 4].map((attempt) => retryDelaySeconds(policy, attempt, 1))).toEqual([60, 120, 240, 480]);
  expect(retryDelaySeconds(policy, 9, 1)).toBe(3600);
  expect(retryDelaySeconds({ ...policy, capSeconds: 100 }, 9, 1)).toBe(100);
});

test('half of the rest is fixed, half is random', () => {
  expect(retryDelaySeconds(policy, 1, 0)).toBe(30);
  expect(retryDelaySeconds(policy, 1, 0.5)).toBe(45);
});

test('the shortest rest is one second', () => {
  expect(retryDelaySeconds({ maxAttempts: 2, baseSeconds: 1 }, 1, 0)).toBe(1);
});
