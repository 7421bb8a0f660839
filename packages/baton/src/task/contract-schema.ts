import * as z from 'zod';
import { readThrown } from '../telemetry/thrown.ts';
import type { ValueIssue } from './invalid-value.ts';
import { differenceOf, jsonIssue } from './json-value.ts';
import { attempted, changeByChecks, checkIssues, internalsOf, keepsValues } from './schema-checks.ts';

/** What a contract's schema makes of values on their way: each is checked where it is sent and again where it is read. */
export interface SchemaReport {
  /** Why the schema cannot be a contract's, and where in it. */
  readonly issues: readonly ValueIssue[];
  /**
   * Whether every value that the schema gives arrives as it is: JSON carries it, and the schema changes nothing more where
   * it is read. Otherwise each value has to be looked at.
   */
  readonly isExact: boolean;
}

type Schema = z.core.$ZodType;
type Definition = z.core.$ZodTypes['_zod']['def'];

const reports = new WeakMap<Schema, SchemaReport>();

/** Looks at a payload's or result's schema, with all that is in it. */
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
        `what is in it is not there yet (${readThrown(error).message}); expected z.lazy and getters to name what is declared before the contract`,
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
          if (issue) this.#refuse(path, `${issue.message}: expected a literal that it has`);
        }
        return;
      case 'object':
        if (Object.hasOwn(def.shape, '__proto__'))
          this.#refuse(path, 'zod drops a member of the name __proto__; expected another name');
        for (const [name, member] of Object.entries(def.shape)) {
          this.visit(member, `${path}.${name}`);
          // An undefined member is left out on its way, and missed where it is read
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
        // What one option has changed, another one may take where it is read
        if (!def.options.every(keepsValues) && !isDiscriminated(def)) this.isExact = false;
        return;
      case 'intersection':
        // What one side fills in, the other one checks where it is read
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
          'what it catches with',
          path,
        );
        return;
      case 'pipe':
        this.#visitPipe(def, path);
        return;
      case 'transform':
        this.#refuse(
          path,
          'a transform is applied where the value is sent and again where it is read; do it in the handler',
        );
        return;
      case 'success':
        this.#refuse(
          path,
          'it takes other values than it gives, and a value is checked where it is sent and again where it is read',
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
        // A kind that a later zod brings
        this.#refuse(path, `nothing is known of the kind ${(def as { type: string }).type}`);
    }
  }

  #visitOpen(value: Schema, path: string): void {
    const { type } = internalsOf(value).def;
    if (type === 'never') return;
    // Such an object drops a member of the name __proto__
    this.isExact = false;
    this.visit(value, path);
  }

  #visitItem(item: Schema, path: string): void {
    this.visit(item, path);
    if (this.#takesUndefined(item)) this.isExact = false;
  }

  /** Of a schema that is refused already nothing is run: an asynchronous check may reject with nobody there to catch it. */
  #takesUndefined(schema: Schema): boolean {
    if (this.issues.length > 0) return true;
    return attempted(() => z.safeParse(schema, undefined).success)?.result ?? true;
  }

  #visitCustom(schema: Schema, path: string): void {
    this.isExact = false;
    const { Class } = internalsOf(schema).bag as { Class?: { name: string } };
    if (Class) this.#refuse(path, notOfJson(Class.name));
  }

  /** What is filled in has to pass as it is, for it is checked where it is read; a prefault is checked first. */
  #visitFilled(inner: Schema, get: () => unknown, what: string, path: string, isChangedFirst = false): void {
    const value = attempted(get);
    if (value === undefined) return;
    const issue = jsonIssue(value.result);
    if (issue) return this.#refuse(path, `${what} is not JSON: ${issue.message}`);
    const parsed = attempted(() => z.safeParse(inner, value.result))?.result;
    if (parsed?.success === false) this.#refuse(path, `${what} breaks the schema that it stands in`);
    else if (parsed && !isChangedFirst && differenceOf(value.result, parsed.data))
      this.#refuse(path, `${what} is changed by the schema that it stands in; expected what that gives`);
  }

  #visitPipe(def: Extract<Definition, { type: 'pipe' }>, path: string): void {
    if ('reverseTransform' in def) {
      this.#refuse(
        path,
        'a codec decodes where the value is sent and again where it is read; do it in the handler',
      );
      return;
    }
    this.visit(def.in, path);
    this.visit(def.out, path);
    if (!keepsValues(def.out)) this.isExact = false;
    if (this.issues.length === 0 && changes(def.out))
      this.#refuse(
        path,
        'a pipe into what changes values is applied where the value is sent and again where it is read',
      );
  }
}

/** Whether the member that chose an option chooses it again. */
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
  const instead = kind === 'date' || kind === 'Date' ? ': expected a text, such as z.iso.datetime()' : '';
  return `JSON has no ${kind}${instead}`;
}

/** Whether a schema may give another value than it takes, such as by z.coerce. */
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
