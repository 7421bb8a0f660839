import type * as z from 'zod';

/** A JSON Schema, as zod writes it (2020-12). */
export type Schema = z.core.JSONSchema.BaseSchema;

/** What a document's schemas are found in, by their `$ref`. */
export interface Document {
  readonly root: Schema;
}

/** Keywords that say something to people alone, and `default`, which `isFilled` looks at. */
const ANNOTATIONS: ReadonlySet<string> = new Set([
  '$schema',
  '$id',
  '$defs',
  '$comment',
  'id',
  'title',
  'description',
  'default',
  'deprecated',
  'examples',
  'readOnly',
  'writeOnly',
]);

/** The keywords of a schema that decide what it takes. */
export function assertionsOf(schema: Schema): string[] {
  return Object.keys(schema).filter((keyword) => !ANNOTATIONS.has(keyword));
}

/** A schema with its `$ref` followed; `true` takes everything, `false` nothing. */
export function resolved(schema: Schema | boolean | undefined, document: Document): Schema {
  if (schema === undefined || schema === true) return {};
  if (schema === false) return { not: {} };
  const { $ref: reference } = schema;
  // What stands beside a reference holds as well: such a one is left as it is
  if (reference === undefined || assertionsOf(schema).length > 1) return schema;
  if (reference === '#') return document.root;
  const name = /^#\/\$defs\/([^/]+)$/.exec(reference)?.[1];
  const target = name === undefined ? undefined : document.root.$defs?.[name];
  if (target === undefined) throw new TypeError(`A schema has a reference that leads nowhere: ${reference}`);
  return resolved(target, document);
}

/** The values that a schema lists, as JSON; nothing where it lists none. */
export function valuesOf({ const: only, enum: several }: Schema): string[] | undefined {
  if (several) return several.map((value) => JSON.stringify(value));
  return only === undefined ? undefined : [JSON.stringify(only)];
}

/** The types that a schema names; none where it takes every type. */
export function typesOf({ type, not }: Schema): string[] {
  if (type === undefined && not !== undefined) return ['nothing'];
  return type === undefined ? [] : [type].flat();
}

/** The forms that a value may have: the members of a union, or the schema itself. */
export function formsOf(schema: Schema, document: Document): Schema[] {
  const forms = schema.anyOf ?? schema.oneOf;
  return forms ? forms.map((form) => resolved(form, document)) : [schema];
}

/** Whether whoever writes an object by this schema writes a property that its reader would fill in: it has a default. */
export function isFilled(property: Schema | boolean | undefined): boolean {
  return typeof property === 'object' && 'default' in property;
}

/** JSON whose members stand in the order of their names, so that equal schemas are equal text. */
export function canonical(value: unknown): string {
  const json = JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([one], [other]) => (one < other ? -1 : 1)))
      : inner,
  ) as string | undefined;
  return json ?? '';
}
