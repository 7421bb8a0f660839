import { canonical, type Schema, typesOf, valuesOf } from './schema.ts';

/** How the forms of two unions are known again. */
export interface FormKeys {
  /** The key of a form: `method="card"`, a type, or all of its text. */
  readonly keys: (form: Schema) => string;
  /** Whether no value can fit two forms of one union. */
  readonly tellApart: boolean;
}

/**
 * Finds what tells the forms of two unions apart, so that each can be compared with what it was: a property that has a
 * value of its own in each, or else their types; where neither does, a form is known again by its text alone.
 */
export function keysOfForms(before: readonly Schema[], after: readonly Schema[]): FormKeys {
  const names = Object.keys(before[0]?.properties ?? {});
  const discriminator = names.find((name) => areApart(before, after, (form) => valuesAt(form, name)));
  if (discriminator !== undefined)
    return { keys: (form) => `${discriminator}=${String(valuesAt(form, discriminator))}`, tellApart: true };
  if (areApart(before, after, kindsOf)) return { keys: (form) => kindsOf(form).join('|'), tellApart: true };
  return { keys: canonical, tellApart: false };
}

function areApart(
  before: readonly Schema[],
  after: readonly Schema[],
  valuesIn: (form: Schema) => readonly string[],
): boolean {
  return [before, after].every((forms) => {
    const values = forms.map(valuesIn);
    const all = values.flat();
    return values.every(({ length }) => length > 0) && new Set(all).size === all.length;
  });
}

function valuesAt({ properties, required = [] }: Schema, name: string): string[] {
  const property = properties?.[name];
  if (typeof property !== 'object' || !required.includes(name)) return [];
  return (valuesOf(property) ?? []).toSorted();
}

/** An integer is a number: the two are not apart. */
function kindsOf(form: Schema): string[] {
  return typesOf(form)
    .map((type) => (type === 'integer' ? 'number' : type))
    .toSorted();
}
