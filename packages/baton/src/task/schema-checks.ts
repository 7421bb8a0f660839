// Inspects the checks of a zod schema: whether they change values.
import { types } from 'node:util';
import * as z from 'zod';
// Not from z.core, which would bundle the error texts of all languages
import { $ZodCustom } from 'zod/v4/core';
import { differenceOf, jsonIssue } from './json-value.ts';

type Schema = z.core.$ZodType;
type Change = (value: unknown) => unknown;

/**
 * The change that the checks of a schema make to a value. `idempotent`: a second check changes nothing more. `unknown`: only
 * checking a value twice can tell.
 */
export type ChangeByChecks = 'none' | 'idempotent' | 'unknown';

/** The definition of a check, as zod has it. */
interface Check {
  readonly check: string;
  /** The function of an overwrite. */
  readonly tx?: Change;
  /** The function of a refinement or custom format. */
  readonly fn?: unknown;
  /** The format of a string. */
  readonly format?: string;
  readonly normalize?: boolean;
}

/** Samples for overwrites. An overwrite that changes a sample the second time would change sent values. */
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

/** The kinds of values that a function cannot change from within. */
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

/** The checks that never change a value. */
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

/** zod's own overwrites, by the source of their functions: nothing else distinguishes them from others. */
const KNOWN_OVERWRITES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    trim: z.string().trim(),
    case: z.string().toLowerCase(),
    upperCase: z.string().toUpperCase(),
    normalize: z.string().normalize(),
  }).map(([name, schema]) => [String(checksOf(schema)[0]?.tx), name]),
);

/** The members of a schema that zod has for libraries. */
export function internalsOf(schema: Schema): z.core.$ZodTypes['_zod'] {
  const { _zod: internals } = schema as z.core.$ZodTypes;
  return internals;
}

/** Why the checks of a schema cannot be used in a contract. */
export function checkIssues(schema: Schema): string[] {
  const samples = SAMPLES[internalsOf(schema).def.type];
  return checkersOf(schema).flatMap((checker) => {
    const { check, tx, fn } = definitionOf(checker);
    const { _zod: internals } = checker as { readonly _zod: { readonly check?: unknown } };
    if ([tx, fn, internals.check].some((each) => types.isAsyncFunction(each)))
      return 'an asynchronous check cannot be awaited where the value is sent; check it in the handler';
    if (check !== 'overwrite' || !tx) return [];
    return samples?.every((sample) => isIdempotentOn(tx, sample))
      ? []
      : 'an overwrite is applied where the value is sent, and again where it is received; expected one that changes nothing the second time';
  });
}

/** The change that the checks of a schema make to values that pass them. */
export function changeByChecks(schema: Schema): ChangeByChecks {
  const isPrimitive = PRIMITIVES.has(internalsOf(schema).def.type);
  const checks = checkersOf(schema).map((checker) => changeBy(checker, isPrimitive));
  const changes = checks.filter((change) => change !== 'none');
  if (changes.length === 0) return 'none';
  // A check before a change checks the changed value where it is received
  const comeFirst = checks.slice(0, changes.length).every((change) => change !== 'none');
  const others = changes.filter((change) => change !== 'trim');
  const isKnown = others.length === 0 || (others.length === 1 && others[0] !== 'unknown');
  const isAlone = !others.includes('normalize') || changes.length === 1;
  return comeFirst && isKnown && isAlone ? 'idempotent' : 'unknown';
}

/** Whether a schema returns every value unchanged. */
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
  // Only these custom checks get the value alone
  if (check === 'custom' && checker instanceof $ZodCustom && isPrimitive) return 'none';
  return ONLY_LOOK.has(check) ? 'none' : 'unknown';
}

/** The checks of a schema in their order. A format such as z.email() is itself a check. */
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

/** Whether an overwrite changes a sample only once. If it throws, the sample does not count: an earlier check may refuse it. */
function isIdempotentOn(tx: Change, sample: unknown): boolean {
  const once = attempted(() => tx(sample));
  if (!once) return true;
  if (jsonIssue(once.result)) return false;
  const twice = attempted(() => tx(once.result));
  return twice !== undefined && differenceOf(once.result, twice.result) === undefined;
}

/** Calls a function of the contract's author. Returns undefined if it throws. */
export function attempted<Result>(get: () => Result): { readonly result: Result } | undefined {
  try {
    return { result: get() };
  } catch {
    return undefined;
  }
}
