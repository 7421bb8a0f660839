import { describe, expect, test } from '@jest/globals';
import type { Repository } from '../../sources/repository.ts';
import { brokenBy } from '../rule.ts';
import { rules } from '../rules.ts';
import { brokenAccess } from './broken-access.ts';
import { brokenCode } from './broken-code.ts';
import { brokenConsumers } from './broken-consumers.ts';
import { brokenFiles } from './broken-files.ts';
import { brokenServices } from './broken-services.ts';
import { brokenStack } from './broken-stack.ts';
import { sampleTree } from './sample-tree.ts';

const all = Object.values(rules).flat();
const broken = [
  ...brokenCode,
  ...brokenServices,
  ...brokenStack,
  ...brokenConsumers,
  ...brokenAccess,
  ...brokenFiles,
];

/** A line with the number of the line that it means by its text. */
function numbered(line: string, repository: Repository): string {
  return line.replace(/^([^:]+):\{([^]+?)\}:/, (_whole, path: string, part: string) => {
    const text = repository.textOf(path);
    const before = text.slice(0, text.indexOf(part) + part.length - 1);
    return `${path}:${text.includes(part) ? before.split('\n').length : part}:`;
  });
}

describe('a service of the scaffold, and a task that the worker runs', () => {
  const tree = sampleTree();

  test.each(all)('keep the rule: $name', (rule) => {
    expect(brokenBy(rule, tree)).toEqual([]);
  });
});

describe('a rule names the file, the line, what is wrong and what to write', () => {
  test.each(broken)('if $mistake', ({ rule, changes, options, says }) => {
    const tree = sampleTree(changes, options);
    const expected = says.map((line) => numbered(line, tree.repository));
    expect(brokenBy(rule, tree).toSorted()).toEqual(expected.toSorted());
  });

  test('whichever it is', () => {
    const unseen = all.filter((rule) => !broken.some((each) => each.rule === rule));
    expect(unseen.map(({ name }) => name)).toEqual([]);
  });
});
