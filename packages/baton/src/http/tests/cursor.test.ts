import { describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import { cursorOf } from '../cursor.ts';

const cursor = cursorOf(z.strictObject({ at: z.string(), id: z.string() }));

/** Rows whose texts take seven bytes a character in the answer of a function, or four. */
const rowsOf = (count: number, text: string) =>
  Array.from({ length: count }, (_, index) => ({ at: `t-${index}`, id: String(index), text, secret: 'x' }));
const view = ({ id, text }: { id: string; text: string }) => ({ id, text });
/** The bytes of a function's answer, whose body is a text in JSON. */
const bytesOf = (body: unknown): number => Buffer.byteLength(JSON.stringify({ body: JSON.stringify(body) }));

describe('a page of a list', () => {
  test('has all rows if they fit', () => {
    const rows = rowsOf(100, 'short');
    const page = cursor.page(rows, { at: 't-99', id: '99' }, view);
    expect(page.items).toEqual(rows.map(view));
    expect(cursor.decode(page.nextCursor ?? undefined)).toEqual({ at: 't-99', id: '99' });
    expect(cursor.page(rows, undefined, view).nextCursor).toBeNull();
  });

  test.each([
    ['control characters', '\u0001'.repeat(10_000)],
    ['quotes', '"'.repeat(40_000)],
    ['other scripts', '漢'.repeat(40_000)],
  ])('of %s is never larger than the answer of a function, and its cursor loses no row', (_what, text) => {
    const rows = rowsOf(100, text);
    const seen: string[] = [];
    let after = -1;
    for (let pages = 0; pages < 100; pages += 1) {
      const page = cursor.page(rows.slice(after + 1), undefined, view);
      expect(bytesOf({ items: page.items, nextCursor: page.nextCursor })).toBeLessThanOrEqual(6_291_556);
      expect(page.items.length).toBeGreaterThan(0);
      seen.push(...page.items.map(({ id }) => id));
      if (page.nextCursor === null) break;
      after = Number(cursor.decode(page.nextCursor)?.id);
    }
    expect(seen).toEqual(rows.map(({ id }) => id));
  });
});
