import { describe, expect, test } from '@jest/globals';
import { readDemo } from 'baton-dev/demo/demo';
import { namePattern, namesOf } from 'baton-dev/demo/names';
import { Repository } from 'baton-dev/sources/repository';

const repository = new Repository();
const demo = await readDemo();
/** The names of the demo's parts, and of its files whose names have at least two words. */
const names = [...namesOf(demo), ...filesOf(demo.folders)];
const files = repository.files.filter(
  (path) => path.startsWith('packages/') && !/\/(tests|template)\//.test(path),
);

function filesOf(folders: readonly string[]): string[] {
  return repository.files
    .filter((path) => folders.some((folder) => path.startsWith(`${folder}/`)) && !path.includes('/tests/'))
    .flatMap((path) => /\/([a-z]+(?:-[a-z]+)+)\.ts$/.exec(path)?.[1] ?? []);
}

/** The lines of a file that contain one of the names, in any spelling. */
function linesNaming(path: string): string[] {
  const naming = namePattern(names);
  return repository
    .textOf(path)
    .split('\n')
    .flatMap((line, index) => (naming.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : []));
}

describe('the library and the tools', () => {
  test('have enough files for this test to mean something', () => {
    expect(files.length).toBeGreaterThan(200);
  });

  test('name no service, function, queue, table, contract or variable of the demo', () => {
    expect(names.length > 0 ? files.flatMap(linesNaming) : []).toEqual([]);
  });
});
