import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { textOf } from './support/source.ts';

const PAGE = 'docs/guarantees.md';

/** Each promise of the page: a list item with a bold first sentence. What is not promised needs no proof. */
const promises = textOf(PAGE)
  .split('\n## ')
  .flatMap((section) => (section.split('Not promised:')[0] ?? '').split(/\n(?=- )/))
  .filter((item) => item.startsWith('- **'));

describe('docs/guarantees.md', () => {
  test('links each promise to a proof', () => {
    expect(promises.length).toBeGreaterThan(40);
    expect(promises.filter((promise) => !/\]\([^)]+\)/.test(promise))).toEqual([]);
  });

  test('links to files that are there', () => {
    const targets = [...textOf(PAGE).matchAll(/\]\(([^)#]+)/g)].map(([, target = '']) => target);
    expect(targets.filter((target) => !existsSync(join(dirname(PAGE), target)))).toEqual([]);
  });
});
