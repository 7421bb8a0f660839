import { describe, expect, test } from '@jest/globals';
import { readDemo } from 'baton-dev/demo/demo';
import { namePattern, namesOf } from 'baton-dev/demo/names';
import { Repository } from 'baton-dev/sources/repository';

const repository = new Repository();
const demo = await readDemo();
/** What the demo calls its parts, and its files whose names have two words at least. */
const names = [...namesOf(demo), ...filesOf(demo.folders)];
const files = repository.files.filter(
  (path) => path.startsWith('packages/') && !/\/(tests|template)\//.test(path),
);

function filesOf(folders: readonly string[]): string[] {
  return repository.files
    .filter((path) => folders.some((folder) => path.startsWith(`${folder}/`)) && !path.includes('/tests/'))
    .flatMap((path) => /\/([a-z]+(?:-[a-z]+)+)\.ts$/.exec(path)?.[1] ?? []);
}

/** The lines of a file that have one of the names, in whatever form. */
function linesNaming(path: string): string[] {
  const naming = namePattern(names);
  return repository
    .textOf(path)
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
