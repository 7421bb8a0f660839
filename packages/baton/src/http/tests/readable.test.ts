import { describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import { readable } from '../readable.ts';

const schema = readable(
  z.strictObject({
    subject: z.string(),
    message: z.string().optional(),
    items: z.array(z.object({ name: z.string() })).optional(),
    labels: z.record(z.string(), z.string()).optional(),
  }),
  { lines: ['message'] },
);
const faultsOf = (value: unknown): string[] =>
  schema.safeParse(value).error?.issues.map(({ path }) => path.join('.')) ?? [];

describe('a text that people read', () => {
  test.each([
    ['a line feed', '\n'],
    ['a carriage return', '\r'],
    ['a tab', '\t'],
    ['NUL', '\0'],
    ['escape, which terminals obey', '\u001b[2J'],
    ['delete', '\u007f'],
    ['a control character of C1', '\u009b'],
    ['half a character', '\ud800'],
  ])('may not have %s', (_what, text) => {
    expect(faultsOf({ subject: `a${text}b` })).toEqual(['subject']);
    expect(faultsOf({ subject: 'a', items: [{ name: 'ok' }, { name: text }] })).toEqual(['items.1.name']);
    expect(faultsOf({ subject: 'a', labels: { [`x${text}`]: 'y' } })).toEqual(['labels']);
  });

  test('may have ends of lines and tabs where a text has lines, and nothing else', () => {
    expect(faultsOf({ subject: 'a', message: 'Dear customer,\r\n\tthanks\n' })).toEqual([]);
    expect(faultsOf({ subject: 'a', message: 'a\u001bb' })).toEqual(['message']);
    expect(faultsOf({ subject: 'a', message: 'a\u0085b' })).toEqual(['message']);
  });

  test('may be of any script', () => {
    expect(faultsOf({ subject: 'Grüße, 漢字, שלום, 👩‍👩‍👧, e\u0301' })).toEqual([]);
  });
});
