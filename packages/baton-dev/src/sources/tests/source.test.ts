import { describe, expect, test } from '@jest/globals';
import { readSource } from '../source.ts';
import { exportedFile } from '../workspaces.ts';

test('a source tells its imports, URLs and exports, each with its line', () => {
  const text = [
    "import a, { b as c } from './a.ts';",
    "import type { D } from 'd/e';",
    "export { f } from './f.ts';",
    "const url = new URL('./thread.ts', import.meta.url);",
    "const g = await import('./g.ts');",
    '/** What it is. */',
    'export const h = 1;',
    'export function i() {}',
  ].join('\n');
  expect(readSource('x.ts', text)).toMatchObject({
    imports: [
      { request: './a.ts', line: 1, names: ['a', 'c'] },
      { request: 'd/e', line: 2, names: ['D'] },
      { request: './f.ts', line: 3, names: [] },
    ],
    urls: ['./thread.ts'],
    dynamicImports: [5],
    exports: [
      { text: 'export const h = 1;', line: 7, isDocumented: true },
      { text: 'export function i() {}', line: 8, isDocumented: false },
    ],
  });
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
  ])('%s means %s', (request, file) => {
    expect(exportedFile(request, workspaces)).toBe(file);
  });
});
