import { expect, test } from '@jest/globals';
import { isOver, isSameRow, keyText } from '../row.ts';

test('rows are the same whatever the order of their members and of what is in their sets', () => {
  const nested = (numbers: string[]) => ({ M: { list: { L: [{ NS: numbers }] } } });
  const one = { words: { SS: ['b', 'a'] }, nested: nested(['1', '2']), bytes: { B: new Uint8Array([1]) } };
  const other = { bytes: { B: new Uint8Array([1]) }, nested: nested(['2', '1']), words: { SS: ['a', 'b'] } };
  expect(isSameRow(one, other)).toBe(true);
  expect(isSameRow(one, { ...other, bytes: { B: new Uint8Array([2]) } })).toBe(false);
  expect(isSameRow(one, { ...other, more: { NULL: true } })).toBe(false);
});

test('the elements of a list have an order', () => {
  const list = (...texts: string[]) => ({ list: { L: texts.map((S) => ({ S })) } });
  expect(isSameRow(list('a', 'b'), list('b', 'a'))).toBe(false);
});

test('a row without a time to live is never over', () => {
  expect(isOver({ id: { S: 'a' } }, Infinity)).toBe(false);
  expect(isOver({ expiresAt: { N: '10' } }, 9999)).toBe(false);
  expect(isOver({ expiresAt: { N: '10' } }, 10_000)).toBe(true);
});

test('keys of two attributes are told apart', () => {
  const text = (one: string, two: string) => keyText({ one: { S: one }, two: { S: two } }, ['one', 'two']);
  expect(text('a', 'bc')).not.toBe(text('ab', 'c'));
});
