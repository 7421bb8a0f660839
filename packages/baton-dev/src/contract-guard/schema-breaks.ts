// The breaks of a changed schema.
import {
  type Comparison,
  orAny,
  otherBreaks,
  type Pair,
  type Place,
  type SchemaBreak,
  wasAndIs,
} from './comparison.ts';
import { objectBreaks } from './object-breaks.ts';
import { assertionsOf, canonical, isUnion, resolved, type Schema, typesOf, valuesOf } from './schema.ts';
import { unionBreaks } from './union-breaks.ts';

const LOWER: ReadonlySet<string> = new Set([
  'minimum',
  'exclusiveMinimum',
  'minLength',
  'minItems',
  'minProperties',
]);
const UPPER: ReadonlySet<string> = new Set([
  'maximum',
  'exclusiveMaximum',
  'maxLength',
  'maxItems',
  'maxProperties',
]);
const OF_OBJECTS: ReadonlySet<string> = new Set(['properties', 'required', 'additionalProperties']);

/**
 * Lists what breaks if values that one schema wrote are read by the other, in either direction. Only one change breaks
 * nothing: a new optional property of an object that drops unknown properties.
 *
 * Compares JSON Schemas, so it does not see `refine`.
 *
 * @param filled - whether written values have their defaults filled in
 */
export function schemaBreaks(released: Schema, changed: Schema, filled: boolean): SchemaBreak[] {
  if (canonical(released) === canonical(changed)) return [];
  const seen = new Set<string>();
  const between = (path: string, one: Place, other: Place): SchemaBreak[] => {
    const pair = {
      path,
      released: resolved(one, comparison.released),
      changed: resolved(other, comparison.changed),
    };
    const text = `${canonical(pair.released)} ${canonical(pair.changed)}`;
    // A schema may contain itself. A pair that is being compared needs no second comparison
    if (seen.has(text)) return [];
    seen.add(text);
    const breaks = isUnion(pair.released) || isUnion(pair.changed) ? unionBreaks : formBreaks;
    const found = breaks(comparison, pair);
    seen.delete(text);
    return found;
  };
  const comparison = { released: { root: released }, changed: { root: changed }, filled, between };
  return between('', released, changed);
}

function formBreaks(comparison: Comparison, pair: Pair): SchemaBreak[] {
  const types = typeBreaks(pair);
  // After a change of the type, other changes do not matter
  if (types.length > 0) return types;
  const { released, changed } = pair;
  const keywords = [...new Set([...assertionsOf(released), ...assertionsOf(changed)])];
  const own = keywords.filter((keyword) => !OF_OBJECTS.has(keyword));
  const ofObjects = keywords.length > own.length ? objectBreaks(comparison, pair) : [];
  const values = own.some((keyword) => keyword === 'enum' || keyword === 'const') ? valueBreaks(pair) : [];
  return [...values, ...ofObjects, ...own.flatMap((keyword) => keywordBreaks(comparison, pair, keyword))];
}

function keywordBreaks(comparison: Comparison, pair: Pair, keyword: string): SchemaBreak[] {
  const { path, released, changed } = pair;
  switch (keyword) {
    case 'type':
    case 'enum':
    case 'const':
      return [];
    case 'items':
      return 'items' in released && 'items' in changed
        ? comparison.between(`${path}[]`, released.items as Schema, changed.items as Schema)
        : otherBreaks(pair, keyword);
    case 'prefixItems':
      return placesBreaks(comparison, pair);
    case 'propertyNames':
      return released.propertyNames && changed.propertyNames
        ? comparison.between(`${path}{key}`, released.propertyNames, changed.propertyNames)
        : otherBreaks(pair, keyword);
    default:
      return LOWER.has(keyword) || UPPER.has(keyword)
        ? boundBreaks(pair, keyword)
        : otherBreaks(pair, keyword);
  }
}

function typeBreaks({ path, released, changed }: Pair): SchemaBreak[] {
  const [before, after] = [typesOf(released), typesOf(changed)];
  const what = `was ${orAny(before)}, is now ${orAny(after)}`;
  const fits = (type: string, types: string[]): boolean =>
    types.length === 0 || types.includes(type) || (type === 'integer' && types.includes('number'));
  const goes = (from: string[], to: string[]): boolean =>
    from.length === 0 ? to.length === 0 : from.every((type) => fits(type, to));
  const older = { path, kind: 'older', what, which: `with ${orAny(before)}` } as const;
  const behind = { path, kind: 'behind', what, which: `with ${orAny(after)}` } as const;
  return [...(goes(before, after) ? [] : [older]), ...(goes(after, before) ? [] : [behind])];
}

function valueBreaks({ path, released, changed }: Pair): SchemaBreak[] {
  const [before, after] = [valuesOf(released), valuesOf(changed)];
  const without = (values: string[] | undefined, others: string[] | undefined): string[] => {
    if (others === undefined) return [];
    return values === undefined ? ['anything else'] : values.filter((value) => !others.includes(value));
  };
  const gone = without(before, after);
  const come = without(after, before);
  const what = `was ${orAny(before ?? [])}, is now ${orAny(after ?? [])}`;
  return [
    ...(gone.length > 0 ? [{ path, kind: 'older' as const, what, which: `with ${orAny(gone)}` }] : []),
    ...(come.length > 0 ? [{ path, kind: 'behind' as const, what, which: `with ${orAny(come)}` }] : []),
  ];
}

function boundBreaks({ path, released, changed }: Pair, keyword: string): SchemaBreak[] {
  const [before, after] = [released[keyword], changed[keyword]] as (number | undefined)[];
  if (before === after) return [];
  const sign = UPPER.has(keyword) ? 1 : -1;
  const reach = (bound: number | undefined): number => (bound === undefined ? Infinity : sign * bound);
  const kind = reach(after) < reach(before) ? 'older' : 'behind';
  return [{ path, kind, what: wasAndIs(keyword, before, after), which: 'beyond it' }];
}

/** The breaks of a tuple's items. */
function placesBreaks(comparison: Comparison, pair: Pair): SchemaBreak[] {
  const { path, released, changed } = pair;
  const [before, after] = [released.prefixItems ?? [], changed.prefixItems ?? []];
  if (before.length !== after.length) return otherBreaks(pair, 'prefixItems');
  return before.flatMap((place, index) => comparison.between(`${path}[${index}]`, place, after[index]));
}
