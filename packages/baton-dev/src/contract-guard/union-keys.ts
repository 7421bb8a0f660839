// Matches the forms of two unions.
import { canonical, type Schema, typesOf, valuesOf } from './schema.ts';

/** The keys by which the forms of two unions are matched. */
export interface FormKeys {
  /** The key of a form: `method="card"`, a type, or its whole text. */
  readonly keys: (form: Schema) => string;
  /** Whether no value can fit two forms of one union. */
  readonly tellApart: boolean;
}

/**
 * Finds keys that match the forms of two unions, so that each form can be compared with its released one: a property with
 * another value in each form, otherwise their types, otherwise their whole texts.
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

/** The key of a type. An integer is also a number. */
function kindsOf(form: Schema): string[] {
  return typesOf(form)
    .map((type) => (type === 'integer' ? 'number' : type))
    .toSorted();
}
