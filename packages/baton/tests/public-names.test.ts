import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from '@babel/parser';
import { expect, test } from '@jest/globals';
import manifest from '../package.json' with { type: 'json' };

const PACKAGE = new URL('..', import.meta.url);
const LIST = new URL('public-names.json', PACKAGE);
const read = (url: URL): string => readFileSync(fileURLToPath(url), 'utf8');

/** The names that an entry exports. Only index.ts files have names, and they must not use `export *`. */
function namesOf(file: string): string[] {
  if (!file.endsWith('index.ts')) return [];
  const { program } = parse(read(new URL(file, PACKAGE)), { sourceType: 'module', plugins: ['typescript'] });
  return program.body
    .flatMap((node) => {
      if (node.type !== 'ExportNamedDeclaration' || !node.source)
        throw new TypeError(
          `${file} has a ${node.type}: an entry only lists names, as in export { a } from './a.ts'`,
        );
      return node.specifiers.map(({ exported }) => ('name' in exported ? exported.name : exported.value));
    })
    .toSorted();
}

test('the public names match public-names.json (change that file only on purpose)', () => {
  const entries = Object.entries(manifest.exports);
  const names = Object.fromEntries(entries.map(([entry, file]) => [entry, namesOf(file)]));
  expect(names).toEqual(JSON.parse(read(LIST)));
});
