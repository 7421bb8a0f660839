import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Repository } from 'baton-dev/sources/repository';

const PAGE = 'docs/guarantees.md';
/** The section with promises in other pages. */
const SECTION = '\n## What is promised\n';

/** A proof of a promise. A page defines it as `[label]: path "title of a test"`. The title is optional. */
interface Proof {
  readonly label: string;
  readonly path: string;
  readonly title: string | undefined;
}

function promisesOf(text: string): string[] {
  return text
    .split('\n## ')
    .flatMap((section) => (section.split('Not promised:')[0] ?? '').split(/\n(?=- |\n)/))
    .map((item) => item.trim())
    .filter((item) => item.startsWith('- '));
}

function proofsOf(text: string): Proof[] {
  return [...text.matchAll(/^\[([^\]]+)\]: (\S+)(?: (["'])(.*)\3)?$/gm)].map(
    ([, label = '', path = '', , title]) => ({
      label,
      path,
      title,
    }),
  );
}

/** The labels at the end of an item. */
function labelsOf(promise: string): string[] {
  const [tail = ''] = /(?:\s*\[[^\]]+\])+$/.exec(promise) ?? [];
  return [...tail.matchAll(/\[([^\]]+)\]/g)].map(([, label = '']) => label);
}

const repository = new Repository();
const pages = repository.files
  .filter((path) => /^docs\/.*\.md$/.test(path))
  .map((path) => ({ path, text: repository.textOf(path) }))
  .filter(({ path, text }) => path === PAGE || text.includes(SECTION))
  .map(({ path, text }) => ({
    path,
    promises: promisesOf(path === PAGE ? text : (text.split(SECTION)[1] ?? '')),
    proofs: proofsOf(text),
  }));

test('this test finds the promises of docs/guarantees.md', () => {
  expect(pages.find(({ path }) => path === PAGE)?.promises.length).toBeGreaterThan(200);
});

describe.each(pages)('$path', ({ path, promises, proofs }) => {
  test('ends each promise with the label of its proof', () => {
    expect(promises.filter((promise) => labelsOf(promise).length === 0)).toEqual([]);
  });

  test('defines every label that it uses, and uses every label that it defines', () => {
    const used = new Set(promises.flatMap(labelsOf));
    const defined = new Set(proofs.map(({ label }) => label));
    expect([...used].filter((label) => !defined.has(label))).toEqual([]);
    expect([...defined].filter((label) => !used.has(label))).toEqual([]);
  });

  test('names only existing files and tests as proofs', () => {
    const wrong = proofs.flatMap(({ label, path: target, title }) => {
      const file = join(dirname(path), target);
      if (!existsSync(file)) return [`[${label}]: ${target} does not exist`];
      return title === undefined || repository.textOf(file).includes(title)
        ? []
        : [`[${label}]: ${target} has no test "${title}"`];
    });
    expect(wrong).toEqual([]);
  });
});
