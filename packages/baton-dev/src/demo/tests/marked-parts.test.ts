import { describe, expect, test } from '@jest/globals';
import { withoutMarkedParts } from '../marked-parts.ts';
import { RemovalError } from '../removal-error.ts';

describe('marked parts of the demo', () => {
  test.each([
    ['a page', 'a\n\n<!-- demo -->\n\nb\n\n<!-- /demo -->\n\nc\n', 'a\n\nc\n'],
    ['YAML', 'a: 1\n# demo\nb: 2\n# /demo\nc: 3\n', 'a: 1\nc: 3\n'],
    ['code', '[\n  a,\n  // demo\n  b,\n  // /demo\n]\n', '[\n  a,\n]\n'],
    ['a whole text', '# demo\na\n# /demo\n', ''],
    ['two parts', '# demo\na\n# /demo\nb\n# demo\nc\n# /demo\n', 'b\n'],
  ])('are cut from %s', (_what, text, left) => {
    expect(withoutMarkedParts(text, 'x')).toBe(left);
  });

  test('do not include a line that only mentions the demo', () => {
    const text = 'a # demo\nnpm run demo\n\n<!-- demos -->\n';
    expect(withoutMarkedParts(text, 'x')).toBe(text);
  });

  test.each([
    ['no end', 'a\n# demo\nb', 'x:2: this mark of the demo is alone'],
    ['no begin', 'a\nb\n# /demo\n', 'x:3: this mark'],
    ['two begins', '# demo\n# demo\n# /demo\n', 'x:2: this mark'],
  ])('with %s are refused with file and line', (_what, text, says) => {
    expect(() => withoutMarkedParts(text, 'x')).toThrow(says);
    expect(() => withoutMarkedParts(text, 'x')).toThrow(RemovalError);
  });
});
