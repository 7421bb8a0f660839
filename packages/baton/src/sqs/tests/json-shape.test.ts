import { describe, expect, test } from '@jest/globals';
import { randomRuns } from 'baton-dev/testing/random-runs';
import * as fc from 'fast-check';
import { memoryBytesOf, shapeOf } from '../json-shape.ts';

/** The levels of a value, counted by its values. */
function levelsOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(levelsOf));
}

/** How many values a value has, itself included. */
function valuesOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce((sum: number, each) => sum + valuesOf(each), 1);
}

/** How many empty lists and objects a value has. */
function emptyOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const parts = Object.values(value);
  return parts.length === 0 ? 1 : parts.reduce((sum: number, each) => sum + emptyOf(each), 0);
}

/** Texts with many of the characters that a scan could mistake. */
const tricky = fc.string({
  size: '+1',
  unit: fc.constantFrom('"', '\\', '[', ']', '{', '}', ':', ',', 'a', '\n', 'é', '🦉'),
});
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'large', withCrossShrink: true },
    fc.oneof(tricky, fc.integer(), fc.boolean(), fc.constant(null)),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(tricky, tie('value'), { maxKeys: 4 }),
  ),
})).value;

describe('the shape of a JSON text', () => {
  test('has the levels of its values, whatever its texts contain and however it is spaced', () => {
    fc.assert(
      fc.property(json, fc.constantFrom(undefined, 1, '\t'), (value, space) => {
        const text = JSON.stringify(value, undefined, space);
        expect(shapeOf(text).levels).toBe(levelsOf(value));
        expect(shapeOf(text).values).toBe(valuesOf(value) + emptyOf(value));
        expect(memoryBytesOf(text)).toBeGreaterThanOrEqual(shapeOf(text).memoryBytes);
      }),
      { numRuns: randomRuns(2000) },
    );
  });

  test('is found of any text, even if that is no JSON', () => {
    fc.assert(
      fc.property(tricky, (text) => {
        expect(shapeOf(text).levels).toBeLessThanOrEqual(text.length);
        expect(shapeOf(text).memoryBytes).toBeGreaterThanOrEqual(text.length);
      }),
    );
  });

  test('has a level more for each list around it', () => {
    fc.assert(
      fc.property(json, fc.integer({ min: 1, max: 3000 }), (value, lists) => {
        const text = `${'['.repeat(lists)}${JSON.stringify(value)}${']'.repeat(lists)}`;
        const levels = lists + levelsOf(value);
        expect(shapeOf(text).levels).toBe(levels);
      }),
      { numRuns: randomRuns(200) },
    );
  });

  test.each([
    ['lists', '['.repeat(1_048_576)],
    ['a text that never ends', `"${'a'.repeat(1_048_575)}`],
    ['backslashes', `"${'\\'.repeat(1_048_575)}`],
    ['quotes', '"'.repeat(1_048_576)],
  ])('is found within a moment, of a megabyte of %s', (_, text) => {
    // The time of the processor, because others may use it too
    const before = process.cpuUsage();
    shapeOf(text);
    expect(process.cpuUsage(before).user).toBeLessThan(1_000_000);
  });
});
