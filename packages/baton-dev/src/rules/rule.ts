// A rule, and the places that break it.
import { SourceError } from '../sources/source.ts';
import { StackError } from '../stack/stack-error.ts';
import type { Place, Tree } from './tree.ts';

/** A place where a rule is broken. */
export interface Breach {
  readonly at: Place;
  /** The fault: something that is there, or is missing. */
  readonly found: string;
  /** The advice, such as "Write VisibilityTimeout: 540". */
  readonly expected: string;
}

/** A rule for the code of a repository. */
export interface Rule {
  /** A sentence that is true while the rule is kept. */
  readonly name: string;
  readonly breaches: (tree: Tree) => readonly Breach[];
}

/**
 * The breaches of a rule, each in a line with its file and line, what is found there and what to do. While code cannot be
 * read, or the stack not be described, rules that need it give none: `codeIsRead` and `stackIsDescribed` say why.
 */
export function brokenBy(rule: Rule, tree: Tree): string[] {
  try {
    return [...new Set(rule.breaches(tree).map(sentenceOf))];
  } catch (error) {
    if (error instanceof StackError || error instanceof SourceError) return [];
    throw error;
  }
}

/** A breach unless something is right. */
export function unless(isRight: boolean, breach: Breach): Breach[] {
  return isRight ? [] : [breach];
}

/** A breach as a line: `functions/payments-service/functions.yml:41: ...`. */
export function sentenceOf({ at: { file, line }, found, expected }: Breach): string {
  return `${file}${line === undefined ? '' : `:${line}`}: ${found}. ${expected}.`;
}
