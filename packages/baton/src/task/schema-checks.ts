import { types } from 'node:util';
import * as z from 'zod';
// Not by z.core, which would bring all its languages into every bundle
import { $ZodCustom } from 'zod/v4/core';
import { differenceOf, jsonIssue } from './json-value.ts';

type Schema = z.core.$ZodType;
type Change = (value: unknown) => unknown;

/**
 * What the checks of a schema do to a value: nothing; a change that comes again to the same; or nobody can tell before a
 * value is checked twice.
 */
export type ChangeByChecks = 'none' | 'settled' | 'unknown';

/** What zod says of one check. */
interface Check {
  readonly check: string;
  /** Of an overwrite. */
  readonly tx?: Change;
  /** Of a refinement or a custom format. */
  readonly fn?: unknown;
  /** Of a text's format. */
  readonly format?: string;
  readonly normalize?: boolean;
}

/** An overwrite that gives one of these another value the second time changes what is sent. */
const SAMPLES: Readonly<Record<string, readonly unknown[]>> = {
  string: [
    '',
    ' A b-C  d ',
    'ÄÖ ß é',
    '007',
    'İ',
    '\u0000x',
    'a,b;c',
    '1,234,567',
    '1-2-3-4',
    '++49--1',
    'a&b &amp;amp; &lt;',
    '100%2525 a+b',
    '""a"" \'\'b\'\' ``c``',
    '""a""',
    "''a''",
    '((a))',
    '[[a]]',
    '{{a}}',
    '<<a>>',
    '\\\\n \\"',
    'a//b/../../c',
    '<<b>>[[c]](({d}))',
    '__a__ ##b $$c @@d ::e ..f ==g',
    'aaa bbb 000',
    'a\r\n\r\nb\t\tc',
  ],
  number: [0, 1, -1, 0.5, 7, 42, 99.99, 100, 1000, 4200, -1234.5678, 1e15],
};

/** Values of these kinds cannot be changed from within a function that is given them. */
const PRIMITIVES: ReadonlySet<string> = new Set([
  'string',
  'number',
  'boolean',
  'null',
  'undefined',
  'void',
  'never',
  'enum',
  'literal',
  'template_literal',
]);

/** Checks that look at a value and leave it as it is. */
const ONLY_LOOK: ReadonlySet<string> = new Set([
  'less_than',
  'greater_than',
  'multiple_of',
  'number_format',
  'max_size',
  'min_size',
  'size_equals',
  'max_length',
  'min_length',
  'length_equals',
  'string_format',
  'describe',
  'meta',
]);

/** zod's own overwrites, by the text of their function: nothing else tells them from others. */
const KNOWN_OVERWRITES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    trim: z.string().trim(),
    case: z.string().toLowerCase(),
    upperCase: z.string().toUpperCase(),
    normalize: z.string().normalize(),
  }).map(([name, schema]) => [String(checksOf(schema)[0]?.tx), name]),
);

/** What zod says of a schema to libraries. */
export function internalsOf(schema: Schema): z.core.$ZodTypes['_zod'] {
  const { _zod: internals } = schema as z.core.$ZodTypes;
  return internals;
}

/** Why the checks of a schema cannot be a contract's. */
export function checkIssues(schema: Schema): string[] {
  const samples = SAMPLES[internalsOf(schema).def.type];
  return checkersOf(schema).flatMap((checker) => {
    const { check, tx, fn } = definitionOf(checker);
    const { _zod: internals } = checker as { readonly _zod: { readonly check?: unknown } };
    if ([tx, fn, internals.check].some((each) => types.isAsyncFunction(each)))
      return 'an asynchronous check cannot be awaited where the value is sent; do it in the handler';
    if (check !== 'overwrite' || !tx) return [];
    return samples?.every((sample) => isSettledBy(tx, sample))
      ? []
      : 'an overwrite is applied where the value is sent and again where it is read; expected one that then changes nothing more';
  });
}

/** What the checks of a schema do to the values that pass them. */
export function changeByChecks(schema: Schema): ChangeByChecks {
  const isPrimitive = PRIMITIVES.has(internalsOf(schema).def.type);
  const checks = checkersOf(schema).map((checker) => changeBy(checker, isPrimitive));
  const changes = checks.filter((change) => change !== 'none');
  if (changes.length === 0) return 'none';
  // What was checked before a change is checked after it where the value is read
  const comeFirst = checks.slice(0, changes.length).every((change) => change !== 'none');
  const others = changes.filter((change) => change !== 'trim');
  const isKnown = others.length === 0 || (others.length === 1 && others[0] !== 'unknown');
  const isAlone = !others.includes('normalize') || changes.length === 1;
  return comeFirst && isKnown && isAlone ? 'settled' : 'unknown';
}

/** Whether a schema gives each value that it takes as it is. */
export function keepsValues(schema: Schema): boolean {
  const { def } = internalsOf(schema);
  if (changeByChecks(schema) !== 'none' || ('coerce' in def && def.coerce)) return false;
  if (PRIMITIVES.has(def.type) || def.type === 'any' || def.type === 'unknown') return true;
  if (def.type === 'array') return keepsValues(def.element);
  return (def.type === 'nullable' || def.type === 'optional') && keepsValues(def.innerType);
}

function changeBy(checker: z.core.$ZodCheck, isPrimitive: boolean): string {
  const { check, tx, format, normalize } = definitionOf(checker);
  if (check === 'overwrite') return KNOWN_OVERWRITES.get(String(tx)) ?? 'unknown';
  if (check === 'string_format' && format === 'url') return normalize ? 'unknown' : 'trim';
  // Of all custom checks only these are given the value alone
  if (check === 'custom' && checker instanceof $ZodCustom && isPrimitive) return 'none';
  return ONLY_LOOK.has(check) ? 'none' : 'unknown';
}

/** The checks of a schema in their order. A format such as z.email() is a check itself. */
function checkersOf(schema: Schema): z.core.$ZodCheck[] {
  const { def, traits } = internalsOf(schema);
  const own = traits.has('$ZodCheck') ? [schema as unknown as z.core.$ZodCheck] : [];
  return [...own, ...(def.checks ?? [])];
}

function checksOf(schema: Schema): Check[] {
  return checkersOf(schema).map(definitionOf);
}

function definitionOf(checker: z.core.$ZodCheck): Check {
  const { _zod: internals } = checker;
  return internals.def;
}

/** One that throws leaves the sample aside: it may expect what the checks before it let through. */
function isSettledBy(tx: Change, sample: unknown): boolean {
  const once = attempted(() => tx(sample));
  if (!once) return true;
  if (jsonIssue(once.result)) return false;
  const twice = attempted(() => tx(once.result));
  return twice !== undefined && differenceOf(once.result, twice.result) === undefined;
}

/** What a function of the contract's author gives; nothing where it throws. */
export function attempted<Result>(get: () => Result): { readonly result: Result } | undefined {
  try {
    return { result: get() };
  } catch {
    return undefined;
  }
}
