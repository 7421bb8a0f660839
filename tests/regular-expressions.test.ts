import { describe, expect, test } from '@jest/globals';
import { isTest } from 'baton-dev/rules/paths';
import { type AstNode, nodesOf } from 'baton-dev/sources/ast';
import { Repository } from 'baton-dev/sources/repository';
import { parsed } from 'baton-dev/sources/source';
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

/** A source file with all nodes of its syntax tree. */
interface ReadFile {
  readonly path: string;
  readonly nodes: readonly AstNode[];
}

function read(path: string, text: string): ReadFile {
  return { path, nodes: nodesOf(parsed(path, text).program as unknown as AstNode) };
}

const repository = new Repository();
const own = repository.files
  .filter((path) => /^(packages|functions|common|worker)\/.*\.ts$/.test(path) && !isTest(path))
  .map((path) => read(path, repository.textOf(path)));

function literalsIn({ path, nodes }: ReadFile): Literal[] {
  return nodes.flatMap((node) => {
    if (node.type !== 'RegExpLiteral') return [];
    const { pattern, flags, loc } = node as AstNode & { readonly pattern: string; readonly flags: string };
    return [{ place: `${path}:${loc?.start.line ?? 0}`, pattern, flags }];
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
    expect(slowOnes(literalsIn(read('planted.ts', text)))).toEqual([
      expect.stringMatching(/^planted\.ts:1: .* takes quadratic time or more/),
    ]);
  });

  test('is a literal in code that is deployed, so that this test sees it', () => {
    const made = own
      .filter(({ path }) => !path.startsWith('packages/baton-dev/') && !MADE_OF_PARTS.has(path))
      .filter(({ nodes }) =>
        nodes.some(({ callee }) => (callee as AstNode | undefined)?.['name'] === 'RegExp'),
      );
    expect(made.map(({ path }) => path)).toEqual([]);
  });
});
