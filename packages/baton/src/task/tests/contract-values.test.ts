import { describe, expect, test } from '@jest/globals';
import { receivedPayload, sentPayload } from '../contract-values.ts';
import { InvalidValueError } from '../invalid-value.ts';
import { contractOf } from './carried-contract.ts';
import * as fc from 'fast-check';
import * as z from 'zod';

/** A payload as its handler gets it, by way of the wire. */
function carried(schema: z.ZodType, payload: unknown): unknown {
  const contract = contractOf(schema);
  const json = JSON.stringify({ data: sentPayload(contract, payload) });
  return receivedPayload(contract, (JSON.parse(json) as { data?: unknown }).data);
}

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
    ['a hidden toJSON', z.any(), hidden({ a: 1 }, 'toJSON', () => 'x'), 'toJSON: JSON has no function'],
    [
      'a hidden toJSON of a list',
      z.any(),
      { l: hidden([1], 'toJSON', () => 'x') },
      'l.toJSON: JSON has no function',
    ],
    ['a hidden member', z.any(), { a: hidden({}, 'b', 1) }, 'a.b: JSON leaves out a hidden member'],
    ['a member that a symbol names', z.any(), { a: { [Symbol('s')]: 1 } }, 'a.Symbol(s): JSON has no symbol'],
    [
      'an item that a symbol names',
      z.any(),
      Object.assign([1], { [Symbol('s')]: 1 }),
      'Symbol(s): JSON has no symbol',
    ],
    [
      'a list with a member',
      z.any(),
      { a: Object.assign([1], { total: 1 }) },
      'a.total: JSON lists have only items',
    ],
    [
      'a list of a class',
      z.any(),
      { a: new (class Rows extends Array {})() },
      'a: expected plain data, got a Rows',
    ],
    [
      'what a getter throws',
      z.any(),
      {
        a: getter(() => {
          throw new Error('away');
        }),
      },
      'a member cannot be read: away',
    ],
    ['arguments', z.any(), argumentsOf(1), 'JSON'],
    ['a hole in a list', z.any(), Array(2), '0: JSON has no undefined in a list'],
    ['a circle', z.any(), circle, 'inner.0: the value is part of itself'],
    ['20,000 levels', z.any(), deep, 'nested more than 1000 levels deep'],
    [
      'a member __proto__ of a record',
      z.record(z.string(), z.any()),
      JSON.parse('{"__proto__":1}'),
      '__proto__: a member with this name is dropped',
    ],
    [
      'a required undefined member',
      z.object({ a: z.unknown() }),
      { a: undefined },
      'a: JSON leaves out a member that is undefined',
    ],
    [
      'a member that may be undefined and not be left out',
      z.object({ a: z.union([z.string(), z.undefined()]) }),
      { a: undefined },
      'a: JSON leaves out a member that is undefined, and the schema requires it; expected optional()',
    ],
  ])('is never other than what was sent: %s is refused', (_what, schema, payload, says) => {
    expect(() => sentPayload(contractOf(schema), payload)).toThrow(says);
    expect(() => sentPayload(contractOf(schema), payload)).toThrow(
      /^The payload of tests\.carry cannot be sent: /,
    );
  });

  test('is nothing when the two sides of an intersection make different values of it', () => {
    const schema = z.intersection(z.object({ a: z.string().trim() }), z.object({ a: z.string() }));
    const contract = contractOf(schema);
    for (const check of [sentPayload, receivedPayload])
      expect(() => check(contract, { a: ' x ' })).toThrow(InvalidValueError);
    expect(carried(schema, { a: 'x' })).toEqual({ a: 'x' });
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

test('what is sent of a value that gives another each time it is read is what was looked at', () => {
  let reads = 0;
  const sent = sentPayload(
    contractOf(z.any()),
    getter(() => (reads += 1)),
  );
  expect(JSON.stringify(sent)).toBe(JSON.stringify(sent));
});

/** An object with one more member that is not enumerable. */
function hidden(value: object, name: string, member: unknown): object {
  return Object.defineProperty(value, name, { value: member });
}

function getter(get: () => unknown): object {
  return Object.defineProperty({}, 'read', { enumerable: true, get });
}

function argumentsOf(..._items: unknown[]): unknown {
  // oxlint-disable-next-line prefer-rest-params -- it is what is looked at
  return arguments;
}

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
