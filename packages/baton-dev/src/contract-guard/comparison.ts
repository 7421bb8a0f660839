import { canonical, type Document, type Schema } from './schema.ts';

const MAX_CHARACTERS = 80;

/**
 * What a change of a schema breaks: `older` is what was written by the released schema and may be refused now, `behind`
 * is what is written now and may be refused by the released schema, `lost` is taken and ignored, `unclear` is a change
 * of which this cannot be told.
 */
export type BreakKind = 'older' | 'behind' | 'lost' | 'unclear';

/** A change of a schema that breaks something. */
export interface SchemaBreak {
  /** Where, such as `.items[].quantity`; empty for the schema itself. */
  readonly path: string;
  readonly kind: BreakKind;
  /** What it was and is. */
  readonly what: string;
  /** What is refused, as in "messages ... would be refused"; empty where it is unclear. */
  readonly which: string;
}

/** A schema as it stands in another one. */
export type Place = Schema | boolean | undefined;

/** Two schemas of one value, side by side. */
export interface Pair {
  readonly path: string;
  readonly released: Schema;
  readonly changed: Schema;
}

/** What a comparison knows beside the pair at hand. */
export interface Comparison {
  readonly released: Document;
  readonly changed: Document;
  /** Whether all that is written has passed the schema, and so has its defaults filled in. */
  readonly filled: boolean;
  /** What breaks between two schemas at a path below. */
  readonly between: (path: string, released: Place, changed: Place) => SchemaBreak[];
}

/** A keyword of which no more is known than whether it is as it was. */
export function otherBreaks({ path, released, changed }: Pair, keyword: string): SchemaBreak[] {
  const [before, after] = [released[keyword], changed[keyword]];
  // Equal references may lead to schemas that are not
  const isReference = keyword === '$ref' || canonical(before).includes('"$ref"');
  if (!isReference && canonical(before) === canonical(after)) return [];
  const what = wasAndIs(keyword, before, after);
  if (before === undefined) return [{ path, kind: 'older', what, which: 'that break it' }];
  if (after === undefined) return [{ path, kind: 'behind', what, which: 'that break what it was' }];
  return [{ path, kind: 'unclear', what, which: '' }];
}

/** What a keyword was and is, for people. */
export function wasAndIs(keyword: string, before: unknown, after: unknown): string {
  if (before === undefined) return `had no ${keyword}, is now ${shortened(canonical(after))}`;
  if (after === undefined) return `${keyword} was ${shortened(canonical(before))}, is now gone`;
  return `${keyword} was ${shortened(canonical(before))}, is now ${shortened(canonical(after))}`;
}

/** Names as a choice; none is a choice of all. */
export function orAny(names: readonly string[]): string {
  return names.length === 0 ? 'anything' : shortened(names.join(' or '));
}

/** At most 80 characters of a text. */
export function shortened(text: string): string {
  return text.length <= MAX_CHARACTERS ? text : `${text.slice(0, MAX_CHARACTERS - 1)}…`;
}
