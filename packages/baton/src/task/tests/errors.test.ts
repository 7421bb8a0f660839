import { globSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { TaskError } from '../errors.ts';

const SOURCE = new URL('../../', import.meta.url);
/** The rooms of tasks. Those before them know no task, `http` answers callers. */
const ROOMS = ['task', 'sqs', 'send', 'run', 'tracked', 'worker', 'lambda'];

test('every error of a task has TaskError as its root', () => {
  const files = ROOMS.flatMap((room) => globSync(`${room}/**/*.ts`, { cwd: SOURCE }));
  const source = files
    .filter((file) => !file.includes('tests/'))
    .map((file) => readFileSync(new URL(file, SOURCE), 'utf8'))
    .join('\n');
  const roots = [...source.matchAll(/class (\w+) extends Error\b/g)].map(([, name]) => name);
  expect(roots).toEqual([TaskError.name]);
});
