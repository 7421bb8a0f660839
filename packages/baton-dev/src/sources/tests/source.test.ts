import { describe, expect, test } from '@jest/globals';
import { readCode } from '../code.ts';
import { Repository } from '../repository.ts';
import { readSource } from '../source.ts';
import { exportedFile } from '../workspaces.ts';

test('a source lists its imports, URLs and exports with their lines', () => {
  const text = [
    "import a, { b as c } from './a.ts';",
    "import type { D } from 'd/e';",
    "export { f as g } from './f.ts';",
    "export * from './h.ts';",
    "import * as i from './i.ts';",
    "const url = new URL('./thread.ts', import.meta.url);",
    "const j = await import('./j.ts');",
    "type K = import('./k.ts').K | typeof import('./l.ts');",
    '/** A number. */',
    'export const m = 1;',
    'export function n() {}',
    'export { i, url as o };',
    "// await import('./comment.ts')",
  ].join('\n');
  expect(readSource('x.ts', text)).toMatchObject({
    imports: [
      {
        request: './a.ts',
        line: 1,
        names: [
          { imported: 'default', local: 'a' },
          { imported: 'b', local: 'c' },
        ],
      },
      { request: 'd/e', line: 2, names: [{ imported: 'D', local: 'D' }] },
      { request: './f.ts', line: 3, names: [{ imported: 'f', exported: 'g' }] },
      { request: './h.ts', line: 4, names: [{ imported: '*', exported: '*' }] },
      { request: './i.ts', line: 5, names: [{ imported: '*', local: 'i' }] },
      { request: './j.ts', line: 7, names: [] },
      { request: './k.ts', line: 8, names: [] },
      { request: './l.ts', line: 8, names: [] },
    ],
    urls: ['./thread.ts'],
    dynamicImports: [7],
    exports: [
      { text: 'export const m = 1;', line: 10, isDocumented: true, names: ['m'] },
      { text: 'export function n() {}', line: 11, isDocumented: false, names: ['n'] },
      { line: 12, names: ['i', 'o'] },
    ],
  });
});

test('code that is not TypeScript is refused with its file and line', () => {
  expect(() => readSource('a/x.ts', 'const a = 1;\nconst = 2;')).toThrow('a/x.ts:2: Unexpected token');
});

test('a source lists its calls, texts, members and properties', () => {
  const code = readCode(
    'x.ts',
    [
      "import { a } from './a.ts';",
      "const b = this.c?.d.send(a, `e${1}f`, { g: 'h' });",
      "const { i } = j.k['l'];",
    ].join('\n'),
  );
  expect(code.calls).toMatchObject([{ path: 'this.c.d.send', name: 'send', line: 2, makes: 'b' }]);
  expect(code.texts.map(({ text }) => text)).toEqual(['e', 'f', 'h', 'l']);
  expect(code.members.map(({ text }) => text)).toContain('j.k.l');
  expect(code.properties.map(({ text, line }) => [text, line])).toEqual([
    ['g', 2],
    ['i', 3],
  ]);
  expect(code.taken).toEqual([{ text: 'j.k.l.i', line: 3 }]);
});

test('a repository can exist only in memory, or replace texts of the disk', () => {
  const texts = new Map([
    ['package.json', '{ "workspaces": ["parts/*"] }'],
    ['parts/a/package.json', '{ "name": "@own/a", "exports": { "./*": "./*.ts" } }'],
    ['parts/a/b.ts', "import '@own/a/c';"],
  ]);
  const repository = new Repository('', texts);
  expect(repository.files).toEqual([...texts.keys()]);
  expect(repository.has('parts/a/b.ts')).toBe(true);
  expect(repository.has('parts/a/c.ts')).toBe(false);
  expect(repository.filesUsedBy(repository.sourceAt('parts/a/b.ts'))).toEqual(['parts/a/c.ts']);
  const onDisk = new Repository(undefined, new Map([['worker/main.ts', '// none']]));
  expect(onDisk.textOf('worker/main.ts')).toBe('// none');
  expect(onDisk.files.filter((path) => path === 'worker/main.ts')).toHaveLength(1);
});

describe('an import of a workspace', () => {
  const workspaces = [
    {
      folder: 'packages/lib',
      manifest: {
        name: '@a/lib',
        exports: { '.': './src/index.ts', './*': './src/*.ts', './inner/*': './other/*.ts', './none': null },
      },
    },
  ];

  test.each([
    ['@a/lib', 'packages/lib/src/index.ts'],
    ['@a/lib/x/y', 'packages/lib/src/x/y.ts'],
    ['@a/lib/inner/z', 'packages/lib/other/z.ts'],
    ['@a/lib/none', undefined],
    ['@a/library', undefined],
    ['zod', undefined],
  ])('%s leads to %s', (request, file) => {
    expect(exportedFile(request, workspaces)).toBe(file);
  });
});
