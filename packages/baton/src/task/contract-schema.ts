// Checks whether a schema can be a contract's: JSON must carry its values, and checking them twice must not change them.
import * as z from 'zod';
import { readThrown } from '../telemetry/thrown.ts';
import type { ValueIssue } from './invalid-value.ts';
import { differenceOf, jsonIssue } from './json-value.ts';
import { attempted, changeByChecks, checkIssues, internalsOf, keepsValues } from './schema-checks.ts';

/** The findings about a contract's schema. It checks each value where it is sent, and again where it is received. */
export interface SchemaReport {
  /** Why the schema cannot be used in a contract, and where in it. */
  readonly issues: readonly ValueIssue[];
  /**
   * Whether every output of the schema arrives unchanged: JSON carries it, and the schema does not change it again where it
   * is received. If false, each value must be checked.
   */
  readonly isExact: boolean;
}

type Schema = z.core.$ZodType;
type Definition = z.core.$ZodTypes['_zod']['def'];

const reports = new WeakMap<Schema, SchemaReport>();

/** Inspects the schema of a payload or result, with all schemas in it. Keeps the report. */
export function reportOf(schema: Schema): SchemaReport {
  const known = reports.get(schema);
  if (known) return known;
  const walk = new SchemaWalk();
  walk.visit(schema, '');
  const report = { issues: walk.issues, isExact: walk.isExact };
  reports.set(schema, report);
  return report;
}

class SchemaWalk {
  readonly issues: ValueIssue[] = [];
  isExact = true;
  readonly #seen = new Set<Schema>();

  visit(schema: Schema, path: string): void {
    if (this.#seen.has(schema)) return;
    this.#seen.add(schema);
    try {
      for (const message of checkIssues(schema)) this.#refuse(path, message);
      if (changeByChecks(schema) === 'unknown') this.isExact = false;
      this.#visitKind(schema, internalsOf(schema).def, path);
    } catch (error) {
      // z.lazy and getters call functions of the contract's author
      this.#refuse(
        path,
        `an inner schema is not there yet (${readThrown(error).message}); expected z.lazy and getters to name schemas that are declared before the contract`,
      );
    }
  }

  #refuse(path: string, message: string): void {
    this.issues.push({ path, message });
  }

  #visitKind(schema: Schema, def: Definition, path: string): void {
    switch (def.type) {
      case 'string':
      case 'number':
      case 'boolean':
      case 'null':
      case 'undefined':
      case 'void':
      case 'never':
      case 'enum':
      case 'template_literal':
        return;
      case 'any':
      case 'unknown':
        this.isExact = false;
        return;
      case 'custom':
        this.#visitCustom(schema, path);
        return;
      case 'literal':
        for (const value of def.values) {
          const issue = jsonIssue(value);
          if (issue) this.#refuse(path, `${issue.message}: expected a literal of JSON`);
        }
        return;
      case 'object':
        if (Object.hasOwn(def.shape, '__proto__'))
          this.#refuse(path, 'zod drops a member with the name __proto__; expected another name');
        for (const [name, member] of Object.entries(def.shape)) {
          this.visit(member, `${path}.${name}`);
          // JSON leaves out an undefined member, which the schema then misses where it is received
          if (!internalsOf(member).optin && this.#takesUndefined(member)) this.isExact = false;
        }
        if (def.catchall) this.#visitOpen(def.catchall, `${path}.*`);
        return;
      case 'record':
        this.visit(def.keyType, `${path}{}`);
        this.#visitOpen(def.valueType, `${path}.*`);
        return;
      case 'array':
        this.#visitItem(def.element, `${path}[]`);
        return;
      case 'tuple':
        def.items.forEach((item, index) => this.#visitItem(item, `${path}[${index}]`));
        if (def.rest) this.#visitItem(def.rest, `${path}[]`);
        return;
      case 'union':
        for (const option of def.options) this.visit(option, path);
        // A value that one option has changed may match another option where it is received
        if (!def.options.every(keepsValues) && !isDiscriminated(def)) this.isExact = false;
        return;
      case 'intersection':
        // At the receiver, each side also checks the defaults that the other side filled in at the sender
        this.isExact = false;
        this.visit(def.left, path);
        this.visit(def.right, path);
        return;
      case 'lazy':
        this.visit(def.getter(), path);
        return;
      case 'optional':
      case 'nullable':
      case 'readonly':
      case 'nonoptional':
        this.visit(def.innerType, path);
        return;
      case 'default':
      case 'prefault':
        this.visit(def.innerType, path);
        this.#visitFilled(
          def.innerType,
          () => def.defaultValue,
          'its default',
          path,
          def.type === 'prefault',
        );
        return;
      case 'catch':
        this.isExact = false;
        this.visit(def.innerType, path);
        this.#visitFilled(
          def.innerType,
          () => def.catchValue({ error: { issues: [] }, input: undefined } as never),
          'its catch value',
          path,
        );
        return;
      case 'pipe':
        this.#visitPipe(def, path);
        return;
      case 'transform':
        this.#refuse(
          path,
          'a transform is applied where the value is sent, and again where it is received; transform the value in the handler',
        );
        return;
      case 'success':
        this.#refuse(
          path,
          'its output does not match its input, but a value is checked where it is sent, and again where it is received',
        );
        return;
      case 'bigint':
      case 'date':
      case 'file':
      case 'function':
      case 'map':
      case 'nan':
      case 'promise':
      case 'set':
      case 'symbol':
        this.#refuse(path, notOfJson(def.type));
        return;
      default:
        // A kind of a newer zod
        this.#refuse(path, `schemas of the kind ${(def as { type: string }).type} are not supported`);
    }
  }

  #visitOpen(value: Schema, path: string): void {
    const { type } = internalsOf(value).def;
    if (type === 'never') return;
    // Open objects drop a member with the name __proto__
    this.isExact = false;
    this.visit(value, path);
  }

  #visitItem(item: Schema, path: string): void {
    this.visit(item, path);
    if (this.#takesUndefined(item)) this.isExact = false;
  }

  /** Runs nothing of a schema that is already refused: an asynchronous check may reject, and nobody would catch it. */
  #takesUndefined(schema: Schema): boolean {
    if (this.issues.length > 0) return true;
    return attempted(() => z.safeParse(schema, undefined).success)?.result ?? true;
  }

  #visitCustom(schema: Schema, path: string): void {
    this.isExact = false;
    const { Class } = internalsOf(schema).bag as { Class?: { name: string } };
    if (Class) this.#refuse(path, notOfJson(Class.name));
  }

  /** A filled-in value must pass the schema unchanged, because it is checked where it is received. A prefault is checked before. */
  #visitFilled(inner: Schema, get: () => unknown, what: string, path: string, isChangedFirst = false): void {
    const value = attempted(get);
    if (value === undefined) return;
    const issue = jsonIssue(value.result);
    if (issue) return this.#refuse(path, `${what} is not JSON: ${issue.message}`);
    const parsed = attempted(() => z.safeParse(inner, value.result))?.result;
    if (parsed?.success === false) this.#refuse(path, `${what} breaks its own schema`);
    else if (parsed && !isChangedFirst && differenceOf(value.result, parsed.data))
      this.#refuse(path, `${what} is changed by its own schema; expected the value that the schema gives`);
  }

  #visitPipe(def: Extract<Definition, { type: 'pipe' }>, path: string): void {
    if ('reverseTransform' in def) {
      this.#refuse(
        path,
        'a codec decodes where the value is sent, and again where it is received; decode the value in the handler',
      );
      return;
    }
    this.visit(def.in, path);
    this.visit(def.out, path);
    if (!keepsValues(def.out)) this.isExact = false;
    if (this.issues.length === 0 && changes(def.out))
      this.#refuse(
        path,
        'a pipe into a schema that changes values is applied where the value is sent, and again where it is received',
      );
  }
}

/** Whether the discriminator chooses the same option again where a value is received. */
function isDiscriminated(def: Extract<Definition, { type: 'union' }>): boolean {
  const { discriminator, unionFallback } = def as Partial<z.core.$ZodDiscriminatedUnionDef>;
  if (discriminator === undefined || unionFallback) return false;
  return def.options.every((option) => {
    const { def: known } = internalsOf(option);
    const member = known.type === 'object' && known.shape[discriminator];
    return member && changeByChecks(option) !== 'unknown' && keepsValues(member);
  });
}

function notOfJson(kind: string): string {
  const instead = kind === 'date' || kind === 'Date' ? ': expected a string, such as z.iso.datetime()' : '';
  return `JSON has no ${kind}${instead}`;
}

/** Whether a schema may change a value, for example by z.coerce. */
function changes(schema: Schema): boolean {
  const { def } = internalsOf(schema);
  if ('coerce' in def && def.coerce) return true;
  return (
    ![
      'string',
      'number',
      'boolean',
      'null',
      'enum',
      'literal',
      'template_literal',
      'any',
      'unknown',
    ].includes(def.type) &&
    !(def.type === 'object' && Object.values(def.shape).every((member) => !changes(member)))
  );
}
