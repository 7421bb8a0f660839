import { expect, test } from '@jest/globals';
import { Repository } from '../../sources/repository.ts';
import { circlesOf } from '../circles.ts';

/** The circles of files that import each other: `a: 'b c'` is a file a.ts that imports b.ts and c.ts. */
function circles(imports: Readonly<Record<string, string>>, backward = ''): string[] {
  const texts = Object.entries(imports).map(([name, others]): [string, string] => [
    `${name}.ts`,
    others
      .split(' ')
      .map((other) => (other === '' ? '' : `import './${other}.ts';\n`))
      .join(''),
  ]);
  const repository = new Repository('', new Map([['package.json', '{}'], ...texts]));
  return circlesOf(
    repository,
    repository.sources,
    (from, to) => `${from} ${to}` === backward.replaceAll(/\w+/g, '$&.ts'),
  ).map(({ files, line }) => `${files.join(' ').replaceAll('.ts', '')}:${line}`);
}

test.each([
  ['none', { a: 'b c', b: 'c', c: '' }, []],
  ['itself', { a: 'a' }, ['a:1']],
  ['two that are apart', { a: 'b', b: 'a', c: 'd', d: 'c e', e: '' }, ['a b:1', 'c d:1']],
  ['the shorter of two through one import', { a: 'b c', b: 'c', c: 'd a', d: '' }, ['a c:2']],
])('circles: %s', (_what, imports, found) => {
  expect(circles(imports as Record<string, string>)).toEqual(found);
});

test('one import that points the wrong way is one circle, the shortest of all that it makes', () => {
  const layers = { g: 'e f', f: 'd e', e: 'c d', d: 'b c', c: 'a b', b: 'a', a: 'g' };
  expect(circles(layers, 'a g')).toEqual(['g e c a:1']);
});
