// The breaks of changed objects in a schema.
import { type Comparison, otherBreaks, type Pair, type SchemaBreak } from './comparison.ts';
import { isFilled, type Schema } from './schema.ts';

/** The breaks of changed properties of an object. */
export function objectBreaks(comparison: Comparison, pair: Pair): SchemaBreak[] {
  const { released, changed } = pair;
  const names = new Set([
    ...Object.keys(released.properties ?? {}),
    ...Object.keys(changed.properties ?? {}),
    ...(released.required ?? []),
    ...(changed.required ?? []),
  ]);
  return [
    ...[...names].flatMap((name) => propertyBreaks(comparison, pair, name)),
    ...restBreaks(comparison, pair),
  ];
}

/** The breaks of other properties. By default an object drops them, as `z.object` does. */
function restBreaks(comparison: Comparison, pair: Pair): SchemaBreak[] {
  const [before, after] = [pair.released.additionalProperties, pair.changed.additionalProperties];
  return isSchema(before) && isSchema(after)
    ? comparison.between(`${pair.path}{}`, before, after)
    : otherBreaks(pair, 'additionalProperties');
}

function propertyBreaks(comparison: Comparison, pair: Pair, name: string): SchemaBreak[] {
  const path = `${pair.path}.${name}`;
  const [before, after] = [pair.released.properties?.[name], pair.changed.properties?.[name]];
  const presence = presenceBreaks(comparison, pair, name);
  if (before !== undefined && after !== undefined)
    return [...presence, ...comparison.between(path, before, after)];
  if (presence.length > 0 || (before === undefined && after === undefined)) return presence;
  if (before !== undefined) return [{ path, kind: 'lost', what: 'is gone', which: 'in it' }];
  return additionBreaks(pair, path);
}

/** The break of a property that one schema requires and the other does not always write. */
function presenceBreaks({ filled }: Comparison, pair: Pair, name: string): SchemaBreak[] {
  const path = `${pair.path}.${name}`;
  const [before, after] = [stateOf(pair.released, name), stateOf(pair.changed, name)];
  const what = `was ${before}, ${after === 'not there' ? 'is gone' : `is now ${after}`}`;
  const isWritten = (schema: Schema): boolean =>
    stateOf(schema, name) === 'required' || (filled && isFilled(schema.properties?.[name]));
  if (after === 'required' && !isWritten(pair.released))
    return [{ path, kind: 'older', what, which: 'without it' }];
  if (before === 'required' && !isWritten(pair.changed))
    return [{ path, kind: 'behind', what, which: 'without it' }];
  return [];
}

function stateOf({ properties, required = [] }: Schema, name: string): 'required' | 'optional' | 'not there' {
  if (required.includes(name)) return 'required';
  return properties?.[name] === undefined ? 'not there' : 'optional';
}

/** The break of a new optional property: none if readers drop unknown properties, and nobody sends it yet. */
function additionBreaks({ released }: Pair, path: string): SchemaBreak[] {
  const what = 'is new';
  if (released.additionalProperties === false) return [{ path, kind: 'behind', what, which: 'with it' }];
  const mayBeThere = released.additionalProperties ?? released.propertyNames ?? released['patternProperties'];
  if (mayBeThere === undefined) return [];
  return [{ path, kind: 'older', what, which: 'with something else under this name' }];
}

function isSchema(rest: Schema | boolean | undefined): rest is Schema {
  return typeof rest === 'object';
}
