import { expect, test } from '@jest/globals';
import { FirstInFirstOut } from '../brokers/first-in-first-out.ts';

test('a queue returns all items in order, even if items are taken between pushes', () => {
  const list = new FirstInFirstOut<number>();
  const taken: (number | undefined)[] = [];
  for (let next = 0; next < 10_000; next++) {
    list.push(next);
    if (next % 3 > 0) taken.push(list.shift());
    expect(list.length).toBe(next + 1 - taken.length);
  }
  expect([...list]).toEqual(Array.from({ length: list.length }, (_, index) => taken.length + index));
  while (list.length > 0) taken.push(list.shift());
  expect(taken).toEqual(Array.from({ length: 10_000 }, (_, index) => index));
  expect([list.shift(), list.length, ...list]).toEqual([undefined, 0]);
});
