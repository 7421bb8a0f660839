// Comparisons of two schemas, and the breaks that they find.
import { canonical, type Document, type Schema } from './schema.ts';

const MAX_CHARACTERS = 80;

/**
 * The kind of break that a change of a schema makes. `older`: the changed schema may refuse a value of the released one.
 * `behind`: the released schema may refuse a value of the changed one. `lost`: a member is accepted and ignored.
 * `dropped`: a wrong member is accepted and ignored, by another form of a union. `unclear`: the guard cannot decide.
 */
export type BreakKind = 'older' | 'behind' | 'lost' | 'dropped' | 'unclear';

/** A change of a schema that breaks something. */
export interface SchemaBreak {
  /** The path in the schema, such as `.items[].quantity`. Empty for the schema itself. */
  readonly path: string;
  readonly kind: BreakKind;
  /** The change, as in "was string, is now number". */
  readonly what: string;
  /** The refused values, as in "messages with string would be refused". Empty if it is unclear. */
  readonly which: string;
}

/** A schema inside another one. */
export type Place = Schema | boolean | undefined;

/** The released and the changed schema of one value. */
export interface Pair {
  readonly path: string;
  readonly released: Schema;
  readonly changed: Schema;
}

/** The parts of a comparison that all pairs share. */
export interface Comparison {
  readonly released: Document;
  readonly changed: Document;
  /** Whether written values have passed the schema, which fills in their defaults. */
  readonly filled: boolean;
  /** Compares two inner schemas, at their path. */
  readonly between: (path: string, released: Place, changed: Place) => SchemaBreak[];
}

/** The break of a changed keyword that the guard does not know. */
export function otherBreaks({ path, released, changed }: Pair, keyword: string): SchemaBreak[] {
  const [before, after] = [released[keyword], changed[keyword]];
  // Equal references may lead to different schemas
  const isReference = keyword === '$ref' || canonical(before).includes('"$ref"');
  if (!isReference && canonical(before) === canonical(after)) return [];
  const what = wasAndIs(keyword, before, after);
  if (before === undefined) return [{ path, kind: 'older', what, which: 'that break it' }];
  if (after === undefined) return [{ path, kind: 'behind', what, which: 'that break what it was' }];
  return [{ path, kind: 'unclear', what, which: '' }];
}

/** Describes the change of a keyword for people. */
export function wasAndIs(keyword: string, before: unknown, after: unknown): string {
  if (before === undefined) return `had no ${keyword}, is now ${shortened(canonical(after))}`;
  if (after === undefined) return `${keyword} was ${shortened(canonical(before))}, is now gone`;
  return `${keyword} was ${shortened(canonical(before))}, is now ${shortened(canonical(after))}`;
}

/** Writes names as a choice. No names mean any. */
export function orAny(names: readonly string[]): string {
  return names.length === 0 ? 'anything' : shortened(names.join(' or '));
}

/** Cuts a text to 80 characters. */
export function shortened(text: string): string {
  return text.length <= MAX_CHARACTERS ? text : `${text.slice(0, MAX_CHARACTERS - 1)}…`;
}
