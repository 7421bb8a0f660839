// The breaks of changed unions.
import { type Comparison, type Pair, type SchemaBreak, shortened } from './comparison.ts';
import { assertionsOf, canonical, formsOf, isUnion, type Schema, typesOf } from './schema.ts';
import { keysOfForms } from './union-keys.ts';

/** The forms of a union that only one of two schemas has. */
interface Difference {
  readonly path: string;
  readonly gone: readonly Schema[];
  readonly added: readonly Schema[];
}

/** The breaks of a union's forms. A schema that is no union counts as one with a single form. */
export function unionBreaks(comparison: Comparison, pair: Pair): SchemaBreak[] {
  const { path, released, changed } = pair;
  const [before, after] = [formsOf(released, comparison.released), formsOf(changed, comparison.changed)];
  const { keys, tellApart } = keysOfForms(before, after);
  const isOneOf = released.oneOf !== undefined || changed.oneOf !== undefined;
  const beside = (schema: Schema): boolean => isUnion(schema) && assertionsOf(schema).length > 1;
  // A form that accepts more values may overlap with another one, which `oneOf` does not allow
  if (beside(released) || beside(changed) || (isOneOf && !tellApart))
    return [{ path, kind: 'unclear', what: 'is a union that has changed', which: '' }];
  const [was, is] = [formsByKey(before, keys), formsByKey(after, keys)];
  const breaks = [...was].flatMap(([key, form]) => {
    const now = is.get(key);
    return now ? comparison.between(pathOfForm(path, key, before, after), form, now) : [];
  });
  const gone = [...was].filter(([key]) => !is.has(key));
  const added = [...is].filter(([key]) => !was.has(key));
  if (tellApart)
    return [
      ...breaks,
      ...gone.map(([key]) => goneForm(path, shortened(key))),
      ...added.map(([key]) => addedForm(path, shortened(key))),
    ];
  const difference = { path, gone: gone.map(([, form]) => form), added: added.map(([, form]) => form) };
  return [
    ...breaks,
    ...formBreaks(comparison, difference, before, after),
    ...droppedBreaks(path, after, difference.added),
  ];
}

/**
 * The breaks of forms that no key matches. Each is compared with the most similar one of the other schema; a form that is
 * left over is described by the properties in which it differs.
 */
function formBreaks(
  comparison: Comparison,
  { path, gone, added }: Difference,
  before: readonly Schema[],
  after: readonly Schema[],
): SchemaBreak[] {
  const between = (one: Schema, other: Schema): SchemaBreak[] => comparison.between(path, one, other);
  const left = new Set(added);
  const breaks = gone.flatMap((form) => {
    const match = nearest(form, [...left], (other) => between(form, other).length);
    if (match === undefined) {
      const similar = nearest(form, after, (other) => between(form, other).length);
      return [goneForm(path, nameOf(path, form, similar && between(form, similar)))];
    }
    left.delete(match);
    return between(form, match);
  });
  const more = [...left].map((form) => {
    const similar = nearest(form, before, (other) => between(other, form).length);
    return addedForm(path, nameOf(path, form, similar && between(similar, form)));
  });
  return [...breaks, ...more];
}

/** The form of the same type with the fewest breaks. */
function nearest(
  form: Schema,
  forms: readonly Schema[],
  breaksTo: (other: Schema) => number,
): Schema | undefined {
  const alike = forms.filter((other) => canonical(typesOf(other)) === canonical(typesOf(form)));
  return alike.toSorted((one, other) => breaksTo(one) - breaksTo(other))[0];
}

/** Names a form by the properties in which it differs from a similar one. */
function nameOf(path: string, form: Schema, breaks: readonly SchemaBreak[] = []): string {
  const names = [...new Set(breaks.map((each) => each.path.slice(path.length).replace(/^\./, '')))];
  return names.length > 0 && !names.includes('')
    ? `another form, which differs in ${names.join(', ')}`
    : shortened(canonical(form));
}

/** Properties that a new union accepts in a wrong form, because another of its forms drops them. */
function droppedBreaks(path: string, forms: readonly Schema[], added: readonly Schema[]): SchemaBreak[] {
  const names = forms.flatMap((form) =>
    Object.keys(form.properties ?? {}).filter((name) =>
      forms.some((other) => (added.includes(form) || added.includes(other)) && drops(other, name)),
    ),
  );
  return [...new Set(names)].map((name) => ({
    path: `${path}.${name}`,
    kind: 'dropped',
    what: 'is not in every form',
    which: 'with a wrong one',
  }));
}

function drops({ properties, additionalProperties }: Schema, name: string): boolean {
  return properties !== undefined && properties[name] === undefined && additionalProperties === undefined;
}

function goneForm(path: string, name: string): SchemaBreak {
  return { path, kind: 'older', what: `could be ${name}`, which: 'with that' };
}

function addedForm(path: string, name: string): SchemaBreak {
  return { path, kind: 'behind', what: `may now be ${name}`, which: 'with that' };
}

function formsByKey(forms: readonly Schema[], keys: (form: Schema) => string): Map<string, Schema> {
  return new Map(forms.map((form) => [keys(form), form]));
}

function pathOfForm(path: string, key: string, before: Schema[], after: Schema[]): string {
  return before.length + after.length > 2 && key.includes('=') ? `${path}(${shortened(key)})` : path;
}
