import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Repository } from 'baton-dev/sources/repository';

const PAGE = 'docs/guarantees.md';
/** The section of every other page whose items are promises. */
const SECTION = '\n## What is promised\n';

/** A proof, as a page defines it behind a label: `[label]: path "title of a test"`. The title may be left out. */
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

/** The labels that an item ends with. */
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

test('docs/guarantees.md has its promises', () => {
  expect(pages.find(({ path }) => path === PAGE)?.promises.length).toBeGreaterThan(200);
});

describe.each(pages)('$path', ({ path, promises, proofs }) => {
  test('ends each promise with the label of its proof', () => {
    expect(promises.filter((promise) => labelsOf(promise).length === 0)).toEqual([]);
  });

  test('defines each label, and uses it', () => {
    const used = new Set(promises.flatMap(labelsOf));
    const defined = new Set(proofs.map(({ label }) => label));
    expect([...used].filter((label) => !defined.has(label))).toEqual([]);
    expect([...defined].filter((label) => !used.has(label))).toEqual([]);
  });

  test('has proofs in files that exist, and those files have the tests that it names', () => {
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
