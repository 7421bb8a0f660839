import { describe, expect, test } from '@jest/globals';
import { isTest } from 'baton-dev/rules/paths';
import { type AstNode, nodesOf } from 'baton-dev/sources/ast';
import { Repository } from 'baton-dev/sources/repository';
import { parsed, type Source } from 'baton-dev/sources/source';
import { analyse } from 'scslre';

// A regular expression that takes quadratic time stops a process for seconds if an outsider chooses the text.

/** A regular expression in a source file. */
interface Literal {
  readonly place: string;
  readonly pattern: string;
  readonly flags: string;
}

/** Files that make a regular expression of parts. Their tests try long texts, or the parts come from a developer. */
const MADE_OF_PARTS = new Set([
  'packages/baton/src/http/router.ts',
  'packages/baton/src/http/media-type.ts',
  'packages/baton/src/time/http-date.ts',
]);

const { sources } = new Repository();
const own = sources.filter(({ path }) => !isTest(path) && /^(packages|functions|common|worker)\//.test(path));

function nodesIn({ path, text }: Pick<Source, 'path' | 'text'>): AstNode[] {
  return nodesOf(parsed(path, text).program as unknown as AstNode);
}

function literalsIn(source: Pick<Source, 'path' | 'text'>): Literal[] {
  return nodesIn(source).flatMap((node) => {
    if (node.type !== 'RegExpLiteral') return [];
    const { pattern, flags, loc } = node as AstNode & { readonly pattern: string; readonly flags: string };
    return [{ place: `${source.path}:${loc?.start.line ?? 0}`, pattern, flags }];
  });
}

/** The regular expressions whose time grows faster than the text, each with its place. */
function slowOnes(literals: readonly Literal[]): string[] {
  return literals
    .filter(({ pattern, flags }) => analyse({ source: pattern, flags }).reports.length > 0)
    .map(
      ({ place, pattern }) => `${place}: /${pattern}/ takes quadratic time or more. Bound what it repeats.`,
    );
}

describe('a regular expression', () => {
  test('takes time that grows with the length of a text, and not with its square', () => {
    const literals = own.flatMap(literalsIn);
    expect(literals.length).toBeGreaterThan(100);
    expect(slowOnes(literals)).toEqual([]);
  });

  test.each([
    [String.raw`const ADDRESS = /[^\s<>"]+@[^\s<>"]+/g;`],
    [String.raw`value.replace(/\/\/.*@/, '//***@');`],
    [String.raw`/^(\w+)+$/.test(name);`],
  ])('is reported with its place if it does not: %s', (text) => {
    expect(slowOnes(literalsIn({ path: 'planted.ts', text }))).toEqual([
      expect.stringMatching(/^planted\.ts:1: .* takes quadratic time or more/),
    ]);
  });

  test('is a literal in code that is deployed, so that this test sees it', () => {
    const made = own
      .filter(({ path }) => !path.startsWith('packages/baton-dev/') && !MADE_OF_PARTS.has(path))
      .filter((source) =>
        nodesIn(source).some(({ callee }) => (callee as AstNode | undefined)?.['name'] === 'RegExp'),
      );
    expect(made.map(({ path }) => path)).toEqual([]);
  });
});
