// JSON Schemas.
import type * as z from 'zod';

/** A JSON Schema, as zod writes it (2020-12). */
export type Schema = z.core.JSONSchema.BaseSchema;

/** The schemas of a document, by their `$ref`. */
export interface Document {
  readonly root: Schema;
}

/** Keywords for people, and `default`, which `isFilled` checks. */
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

/** The keywords of a schema that decide which values it accepts. */
export function assertionsOf(schema: Schema): string[] {
  return Object.keys(schema).filter((keyword) => !ANNOTATIONS.has(keyword));
}

/** Follows the `$ref` of a schema. `true` accepts everything, `false` nothing. */
export function resolved(schema: Schema | boolean | undefined, document: Document): Schema {
  if (schema === undefined || schema === true) return {};
  if (schema === false) return { not: {} };
  const { $ref: reference } = schema;
  // Keywords beside a reference apply too, so such a schema is not resolved
  if (reference === undefined || assertionsOf(schema).length > 1) return schema;
  if (reference === '#') return document.root;
  const name = /^#\/\$defs\/([^/]+)$/.exec(reference)?.[1];
  const target = name === undefined ? undefined : document.root.$defs?.[name];
  if (target === undefined)
    throw new TypeError(
      `A schema has the reference ${reference}: expected one to a schema of the same document`,
    );
  return resolved(target, document);
}

/** The values that a schema lists, as JSON. Undefined if it lists none. */
export function valuesOf({ const: only, enum: several }: Schema): string[] | undefined {
  if (several) return several.map((value) => JSON.stringify(value));
  return only === undefined ? undefined : [JSON.stringify(only)];
}

/** The types that a schema names. Empty if it accepts every type. */
export function typesOf({ type, not }: Schema): string[] {
  if (type === undefined && not !== undefined) return ['nothing'];
  return type === undefined ? [] : [type].flat();
}

/** Whether a schema is a union. */
export function isUnion(schema: Schema): boolean {
  return (schema.anyOf ?? schema.oneOf) !== undefined;
}

/** The forms that a value may have: the members of a union, or the schema itself. */
export function formsOf(schema: Schema, document: Document): Schema[] {
  const forms = schema.anyOf ?? schema.oneOf;
  return forms ? forms.map((form) => resolved(form, document)) : [schema];
}

/** Whether a property has a default, which a writer's schema fills in. */
export function isFilled(property: Schema | boolean | undefined): boolean {
  return typeof property === 'object' && 'default' in property;
}

/** JSON with sorted members, so that equal schemas are equal texts. */
export function canonical(value: unknown): string {
  const json = JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([one], [other]) => (one < other ? -1 : 1)))
      : inner,
  ) as string | undefined;
  return json ?? '';
}
