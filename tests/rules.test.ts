import { describe, expect, test } from '@jest/globals';
import { brokenBy } from 'baton-dev/rules/rule';
import { rules } from 'baton-dev/rules/rules';
import { readTree } from 'baton-dev/rules/tree';

const tree = await readTree();

describe.each(Object.entries(rules))('%s', (_about, own) => {
  test.each(own)('$name', (rule) => {
    expect(brokenBy(rule, tree)).toEqual([]);
  });
});
