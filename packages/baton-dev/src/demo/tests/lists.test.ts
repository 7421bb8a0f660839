import { describe, expect, test } from '@jest/globals';
import { readSource } from '../../sources/source.ts';
import { withoutComposeEntries, withoutImports, withoutPorts, withoutScripts } from '../lists.ts';
import { RemovalError } from '../removal-error.ts';

describe('a compose file', () => {
  const compose =
    'services:\n  a-service:\n    image: a\n\n  # What b is\n  b-service:\n    image: b\n\n  worker:\n    image: w\n';

  test('loses the entries of the services, and nothing else', () => {
    expect(withoutComposeEntries(compose, ['a-service'])).toBe(
      'services:\n  # What b is\n  b-service:\n    image: b\n\n  worker:\n    image: w\n',
    );
    expect(withoutComposeEntries(compose, [])).toBe(compose);
  });

  test.each([
    ['an empty line inside an entry', 'services:\n  a-service:\n    image: a\n\n    hostname: b\n\n'],
    ['no empty line behind it', 'services:\n  a-service:\n    image: a\n  worker:\n    image: w\n'],
  ])('with %s is refused', (_what, text) => {
    expect(() => withoutComposeEntries(text, ['a-service'])).toThrow('expected an entry of a-service');
    expect(() => withoutComposeEntries(text, ['a-service'])).toThrow(RemovalError);
  });
});

test("an example environment loses the services' ports", () => {
  expect(withoutPorts('A=1\nA_B_SERVICE_PORT=2\nC_SERVICE_PORT=3\n', ['a-b-service'])).toBe(
    'A=1\nC_SERVICE_PORT=3\n',
  );
});

test.each([
  [
    "import { a } from './a.ts';\nimport { b } from './b.ts';\n\nexport const all = [a, b];\n",
    "import { a } from './a.ts';\n\nexport const all = [a, ];\n",
  ],
  [
    "import { b, c } from './b.ts';\nimport type { T } from 't';\n\nexport const all: T[] = [\n  c,\n  b,\n];\n",
    "import type { T } from 't';\n\nexport const all: T[] = [\n  ];\n",
  ],
])('a list loses the imports of a file, and their names', (text, left) => {
  const isGone = (request: string): boolean => request === './b.ts';
  expect(withoutImports(readSource('x.ts', text), isGone)).toBe(left);
});

test('scripts that run a removed file are removed, and so are their calls', () => {
  const scripts = {
    a: 'node a.ts --fast',
    b: 'jest --config b/jest.config.js',
    c: 'node c.ts',
    check: 'npm run c && npm run a && npm run b && npm test',
  };
  const isGone = (path: string): boolean => ['a.ts', 'b/jest.config.js'].includes(path);
  expect(withoutScripts(scripts, isGone)).toEqual({ c: 'node c.ts', check: 'npm run c && npm test' });
});
