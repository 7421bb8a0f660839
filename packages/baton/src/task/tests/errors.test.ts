import { globSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { TaskError } from '../errors.ts';

const SOURCE = new URL('../../', import.meta.url);
/** The folders whose errors concern tasks. Earlier folders know no tasks, and `http` answers callers. */
const FOLDERS = ['task', 'sqs', 'send', 'run', 'tracked', 'worker', 'lambda'];

test('every error class that concerns tasks extends TaskError', () => {
  const files = FOLDERS.flatMap((folder) => globSync(`${folder}/**/*.ts`, { cwd: SOURCE }));
  const source = files
    .filter((file) => !file.includes('tests/'))
    .map((file) => readFileSync(new URL(file, SOURCE), 'utf8'))
    .join('\n');
  const roots = [...source.matchAll(/class (\w+) extends Error\b/g)].map(([, name]) => name);
  expect(roots).toEqual([TaskError.name]);
});
