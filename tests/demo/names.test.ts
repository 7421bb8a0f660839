import { describe, expect, test } from '@jest/globals';
import { namesOf, readDemo } from 'baton-dev/demo/demo';
import { filesBelow, textOf } from '../support/source.ts';

const names = namesOf(await readDemo());
const files = filesBelow('packages').filter((path) => !/\/(tests|template)\//.test(path));

/** The lines of a file that have one of the names, as a word of its own. */
function linesNaming(path: string): string[] {
  const naming = new RegExp(`(?<![A-Za-z0-9])(${names.join('|')})(?![A-Za-z0-9])`);
  return textOf(path)
    .split('\n')
    .flatMap((line, index) => (naming.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : []));
}

describe('the library and the tools', () => {
  test('are looked at whole', () => {
    expect(files.length).toBeGreaterThan(200);
  });

  test('name no service, function, queue, table, contract or variable of the demo', () => {
    expect(names.length > 0 ? files.flatMap(linesNaming) : []).toEqual([]);
  });
});
