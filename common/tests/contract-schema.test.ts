import { describe, expect, test } from '@jest/globals';
import { reportOf } from '@baton/common/queue/contract-schema';
import { receivedPayload, sentPayload } from '@baton/common/queue/contract-values';
import { InvalidValueError } from '@baton/common/queue/errors';
import { defineTask } from '@baton/common/queue/task';
import * as fc from 'fast-check';
import * as z from 'zod';

function contractOf(payload: z.ZodType, result: z.ZodType = z.void()) {
  return defineTask({
    name: 'tests.carry',
    queue: 'default',
    payload,
    result,
    retry: { maxAttempts: 1, baseSeconds: 1 },
    timeoutSeconds: 1,
  });
}

/** A payload as its handler gets it, by way of the wire. */
function carried(schema: z.ZodType, payload: unknown): unknown {
  const contract = contractOf(schema);
  const json = JSON.stringify({ data: sentPayload(contract, payload) });
  return receivedPayload(contract, (JSON.parse(json) as { data?: unknown }).data);
}

const euro = z.number().transform((amount) => amount * 100);
const codec = z.codec(z.iso.datetime(), z.date(), {
  decode: (text) => new Date(text),
  encode: (date) => date.toISOString(),
});
const tree: z.ZodType = z.lazy(() => z.object({ at: z.date(), inner: tree.optional() }));

describe('a contract cannot be whose schema', () => {
  test.each<[string, z.ZodType, RegExp]>([
    ['is a date', z.object({ at: z.date() }), /JSON has no date: expected a text.*\n.*at payload\.at/],
    ['coerces to a date', z.coerce.date(), /JSON has no date/],
    ['is a bigint', z.object({ n: z.bigint() }), /JSON has no bigint/],
    ['is an int64', z.int64(), /JSON has no bigint/],
    ['is a map', z.map(z.string(), z.string()), /JSON has no map/],
    ['is a set', z.set(z.string()), /JSON has no set/],
    ['is a symbol', z.symbol(), /JSON has no symbol/],
    ['is NaN', z.union([z.number(), z.nan()]), /JSON has no nan/],
    ['is a file', z.file(), /JSON has no file/],
    ['is a promise', z.promise(z.string()), /JSON has no promise/],
    ['is of a class', z.object({ url: z.instanceof(URL) }), /JSON has no URL.*\n.*at payload\.url/],
    ['is a literal that JSON has not', z.literal([1, 5n]), /JSON has no bigint/],
    [
      'transforms',
      z.object({ amount: euro }),
      /a transform is applied where the value is sent and again.*\n.*at payload\.amount/,
    ],
    [
      'transforms in a list',
      z.array(z.object({ amount: euro })),
      /at payload\[\]\.amount|at payload.*amount/,
    ],
    ['transforms in a record', z.record(z.string(), euro), /a transform/],
    ['transforms in a tuple', z.tuple([z.string()], euro), /a transform/],
    ['transforms in a union', z.union([z.string(), euro]), /a transform/],
    ['transforms in an intersection', z.intersection(z.object({ a: euro }), z.object({})), /a transform/],
    ['transforms what unknown members hold', z.object({}).catchall(euro), /a transform/],
    ['transforms what may be left out', euro.optional(), /a transform/],
    ['preprocesses', z.preprocess((value) => Number(value) * 100, z.number()), /a transform/],
    ['has a codec', z.object({ at: codec }), /a codec decodes/],
    ['is a stringbool', z.stringbool(), /a codec decodes/],
    ['is a date deep inside itself', tree, /JSON has no date/],
    [
      'overwrites with something else each time',
      z.number().overwrite((amount) => amount * 100),
      /an overwrite/,
    ],
    ['overwrites an object', z.object({}).overwrite((value) => value), /an overwrite/],
    ['pipes into what changes', z.string().pipe(z.coerce.number()), /a pipe into what changes values/],
    ['says whether something would succeed', z.success(z.string()), /takes other values than it gives/],
    ['has a default that breaks it', z.string().min(3).default('x'), /its default breaks the schema/],
    ['has a default that is not JSON', z.any().default(() => new Date()), /its default is not JSON/],
    ['catches with what is not JSON', z.any().catch(NaN), /what it catches with is not JSON/],
  ])('%s', (_what, schema, says) => {
    expect(() => contractOf(schema)).toThrow(says);
    expect(() => contractOf(z.object({}), schema)).toThrow(TypeError);
  });
});

describe('what arrives', () => {
  test.each<[string, z.ZodType, unknown, unknown]>([
    ['of nothing is nothing', z.void(), undefined, undefined],
    ['of undefined is undefined', z.undefined(), undefined, undefined],
    ['of what is left out is left out', z.string().optional(), undefined, undefined],
    ['of null is null', z.null(), null, null],
    ['of a text is trimmed', z.string().trim().toLowerCase(), ' A ', 'a'],
    ['of a text is normalized', z.string().normalize(), 'e\u0301', '\u00E9'],
    ['of a number is rounded', z.number().overwrite(Math.round), 1.6, 2],
    ['of what is left out is the default', z.object({ a: z.int().default(7) }), {}, { a: 7 }],
    [
      'of what is left out is filled in before it is checked',
      z.string().trim().prefault(' x '),
      undefined,
      'x',
    ],
    ['of what is wrong is caught', z.int().catch(3), 'x', 3],
    ['of a text is a number', z.object({ n: z.coerce.number() }), { n: '5' }, { n: 5 }],
    ['of a number is a text', z.coerce.string(), 5, '5'],
    ['of a text is a boolean', z.coerce.boolean(), 'false', true],
    ['of a piped text is that text', z.string().pipe(z.email()), 'a@b.cd', 'a@b.cd'],
    ['of a coerced and piped text is a number', z.coerce.number().pipe(z.number().min(1)), '5', 5],
    ['of what is read only is the same', z.object({ a: z.string() }).readonly(), { a: 'x' }, { a: 'x' }],
    [
      'of half a surrogate pair is half a surrogate pair',
      z.any(),
      { '\uD800': '\uDFFF' },
      { '\uD800': '\uDFFF' },
    ],
    ['of -0 is 0', z.number(), -0, 0],
    ['of an undefined member is no member', z.any(), { a: undefined, b: 1 }, { b: 1 }],
    [
      'of a member __proto__ is that member',
      z.any(),
      JSON.parse('{"__proto__":1}'),
      JSON.parse('{"__proto__":1}'),
    ],
  ])('%s', (_what, schema, sent, arrives) => {
    expect(carried(schema, sent)).toEqual(arrives);
  });

  const circle: Record<string, unknown> = {};
  circle['inner'] = [circle];
  const deep = JSON.parse(`${'['.repeat(20_000)}${']'.repeat(20_000)}`) as unknown;
  class Money {
    readonly amount = 1;
  }

  test.each<[string, z.ZodType, unknown, string]>([
    ['NaN', z.any(), { a: [1, NaN] }, 'a.1: JSON has no NaN'],
    ['Infinity', z.unknown(), -Infinity, '(root): JSON has no -Infinity'],
    ['a Date', z.record(z.string(), z.any()), { at: new Date(0) }, 'at: expected plain data, got a Date'],
    ['a Map', z.any(), new Map(), 'expected plain data, got a Map'],
    ['a Buffer', z.any(), { a: Buffer.from('x') }, 'a: expected plain data, got a Buffer'],
    ['an object of a class', z.custom<Money>(), new Money(), 'expected plain data, got a Money'],
    ['a bigint', z.any(), { n: 5n }, 'n: JSON has no bigint'],
    ['a function', z.any(), { toJSON: () => 1 }, 'toJSON: JSON has no function'],
    [
      'undefined in a list',
      z.array(z.string().optional()),
      ['a', undefined],
      '1: JSON has no undefined in a list',
    ],
    ['a hole in a list', z.any(), Array(2), '0: JSON has no undefined in a list'],
    ['a circle', z.any(), circle, 'inner.0: the value is part of itself'],
    ['20,000 levels', z.any(), deep, 'nested more than 1000 levels deep'],
    [
      'a member __proto__ of a record',
      z.record(z.string(), z.any()),
      JSON.parse('{"__proto__":1}'),
      '__proto__: a member of this name is dropped',
    ],
    ['a required undefined member', z.object({ a: z.unknown() }), { a: undefined }, 'a: Invalid input'],
  ])('is never other than what was sent: %s is refused', (_what, schema, payload, says) => {
    expect(() => sentPayload(contractOf(schema), payload)).toThrow(says);
    expect(() => sentPayload(contractOf(schema), payload)).toThrow(
      /^The payload of tests\.carry cannot be sent: /,
    );
  });

  test('is what was sent, whatever that is', () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSparseArray: true,
      withNullPrototype: true,
    });
    fc.assert(
      fc.property(anything, (payload) => {
        expect(arrivedOrRefused(payload)).toEqual(withoutSigns(payload));
      }),
      { numRuns: 1000 },
    );
  });
});

test('of a schema whose values JSON carries as they are, none is looked at', () => {
  const plain = z.object({
    id: z.string(),
    items: z.array(z.object({ n: z.int(), note: z.string().optional() })).max(3),
    kind: z.enum(['a', 'b']),
  });
  expect(reportOf(plain)).toEqual({ issues: [], isExact: true });
  for (const open of [z.any(), z.array(z.string().optional()), z.looseObject({}), z.object({ a: z.void() })])
    expect(reportOf(open)).toEqual({ issues: [], isExact: false });
});

/** What arrives of a payload; the payload itself where it is refused. */
function arrivedOrRefused(payload: unknown): unknown {
  try {
    return withoutSigns(carried(z.any(), payload));
  } catch (error) {
    if (error instanceof InvalidValueError) return withoutSigns(payload);
    throw error;
  }
}

/** JSON has one zero. */
function withoutSigns(value: unknown): unknown {
  if (Object.is(value, -0)) return 0;
  if (Array.isArray(value)) return value.map(withoutSigns);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withoutSigns(member)]));
}
