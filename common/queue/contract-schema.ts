import * as z from 'zod';
import type { ValueIssue } from './errors.ts';
import { jsonIssue } from './json-value.ts';

/** What a contract's schema makes of values on their way: each is checked where it is sent and again where it is read. */
export interface SchemaReport {
  /** Why the schema cannot be a contract's, and where in it. */
  readonly issues: readonly ValueIssue[];
  /** Whether JSON carries every value that the schema gives; otherwise each value has to be looked at. */
  readonly isExact: boolean;
}

type Schema = z.core.$ZodType;
type Definition = z.core.$ZodTypes['_zod']['def'];

/** An overwrite that gives one of these another value the second time changes what is sent. */
const SAMPLES: Readonly<Record<string, readonly unknown[]>> = {
  string: ['', ' A b-C  d ', 'ÄÖ ß é', '007', 'İ', '\u0000x', 'a,b;c'],
  number: [0, 1, -1, 0.5, 42, 99.99, -1234.5678, 1e15],
};

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
    const { def } = internalsOf(schema);
    this.#visitChecks(def, path);
    this.#visitKind(schema, def, path);
  }

  #refuse(path: string, message: string): void {
    this.issues.push({ path, message });
  }

  /** `trim` and its like come again to the same; any other overwrite may not. */
  #visitChecks({ type, checks = [] }: Definition, path: string): void {
    for (const check of checks) {
      const { check: kind, tx } = internalsOf(check as never).def as unknown as {
        check: string;
        tx?: (value: unknown) => unknown;
      };
      if (kind !== 'overwrite' || !tx) continue;
      const samples = SAMPLES[type];
      if (!samples?.every((sample) => isSettledBy(tx, sample)))
        this.#refuse(
          path,
          'an overwrite is applied where the value is sent and again where it is read; expected one that then changes nothing more',
        );
    }
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
        for (const [name, member] of Object.entries(def.shape)) {
          this.visit(member, `${path}.${name}`);
          // An undefined member is left out on its way, and missed where it is read
          if (internalsOf(member).optin !== 'optional' && takesUndefined(member)) this.isExact = false;
        }
        if (def.catchall) this.#visitOpen(def.catchall, `${path}.*`);
        return;
      case 'record':
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
        return;
      case 'intersection':
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
        this.#visitFilled(def.innerType, () => def.defaultValue, 'its default', path);
        return;
      case 'catch':
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
    if (takesUndefined(item)) this.isExact = false;
  }

  #visitCustom(schema: Schema, path: string): void {
    this.isExact = false;
    const { Class } = internalsOf(schema).bag as { Class?: { name: string } };
    if (Class) this.#refuse(path, notOfJson(Class.name));
  }

  /** What is filled in has to pass as it is, for it is checked where it is read. */
  #visitFilled(inner: Schema, get: () => unknown, what: string, path: string): void {
    const value = attempted(get);
    if (value === undefined) return;
    const issue = jsonIssue(value.result);
    if (issue) this.#refuse(path, `${what} is not JSON: ${issue.message}`);
    else if (attempted(() => z.safeParse(inner, value.result).success)?.result === false)
      this.#refuse(path, `${what} breaks the schema that it stands in`);
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
    if (this.issues.length === 0 && changes(def.out))
      this.#refuse(
        path,
        'a pipe into what changes values is applied where the value is sent and again where it is read',
      );
  }
}

/** What zod says of a schema to libraries. */
function internalsOf(schema: Schema): z.core.$ZodTypes['_zod'] {
  const { _zod: internals } = schema as z.core.$ZodTypes;
  return internals;
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

function isSettledBy(tx: (value: unknown) => unknown, sample: unknown): boolean {
  const once = attempted(() => tx(sample));
  const twice = once && attempted(() => tx(once.result));
  return once !== undefined && Object.is(once.result, twice?.result) && jsonIssue(once.result) === undefined;
}

function takesUndefined(schema: Schema): boolean {
  return attempted(() => z.safeParse(schema, undefined).success)?.result ?? true;
}

function attempted<Result>(get: () => Result): { readonly result: Result } | undefined {
  try {
    return { result: get() };
  } catch {
    return undefined;
  }
}
