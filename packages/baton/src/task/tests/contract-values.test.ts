import { describe, expect, test } from '@jest/globals';
import { receivedPayload, sentPayload } from '../contract-values.ts';
import { InvalidValueError } from '../invalid-value.ts';
import { contractOf } from './carried-contract.ts';
import { randomRuns } from 'baton-dev/testing/random-runs';
import * as fc from 'fast-check';
import * as z from 'zod';

/** Sends a payload and receives it. Returns it as its handler gets it. */
function carried(schema: z.ZodType, payload: unknown): unknown {
  const contract = contractOf(schema);
  const json = JSON.stringify({ data: sentPayload(contract, payload) });
  return receivedPayload(contract, (JSON.parse(json) as { data?: unknown }).data);
}

describe('a received value', () => {
  test.each<[string, z.ZodType, unknown, unknown]>([
    ['is nothing if nothing was sent', z.void(), undefined, undefined],
    ['is undefined if undefined was sent', z.undefined(), undefined, undefined],
    ['is missing if an optional value was left out', z.string().optional(), undefined, undefined],
    ['is null if null was sent', z.null(), null, null],
    ['is a trimmed text', z.string().trim().toLowerCase(), ' A ', 'a'],
    ['is a normalized text', z.string().normalize(), 'e\u0301', '\u00E9'],
    ['is a rounded number', z.number().overwrite(Math.round), 1.6, 2],
    ['is the default if the value was left out', z.object({ a: z.int().default(7) }), {}, { a: 7 }],
    [
      'is the prefault, filled in before the check, if the value was left out',
      z.string().trim().prefault(' x '),
      undefined,
      'x',
    ],
    ['is the catch value if the value was invalid', z.int().catch(3), 'x', 3],
    ['is a number if a text was coerced to it', z.object({ n: z.coerce.number() }), { n: '5' }, { n: 5 }],
    ['is a text if a number was coerced to it', z.coerce.string(), 5, '5'],
    ['is a boolean if a text was coerced to it', z.coerce.boolean(), 'false', true],
    ['is the same text after a pipe', z.string().pipe(z.email()), 'a@b.cd', 'a@b.cd'],
    ['is a number if a text was coerced and piped', z.coerce.number().pipe(z.number().min(1)), '5', 5],
    [
      'is the same if its schema is read-only',
      z.object({ a: z.string() }).readonly(),
      { a: 'x' },
      { a: 'x' },
    ],
    ['is half a surrogate pair if that was sent', z.any(), { '\uD800': '\uDFFF' }, { '\uD800': '\uDFFF' }],
    ['is 0 if -0 was sent', z.number(), -0, 0],
    ['has no member where undefined was sent', z.any(), { a: undefined, b: 1 }, { b: 1 }],
    [
      'has a member __proto__ if it was sent',
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
      'a list of a subclass of Array',
      z.any(),
      { a: new (class Rows extends Array {})() },
      'a: expected plain data, got a Rows',
    ],
    [
      'a getter that throws',
      z.any(),
      {
        a: getter(() => {
          throw new Error('away');
        }),
      },
      'a member cannot be read: away',
    ],
    ['an arguments object', z.any(), argumentsOf(1), 'JSON'],
    ['a hole in a list', z.any(), Array(2), '0: JSON has no undefined in a list'],
    ['a value that contains itself', z.any(), circle, 'inner.0: the value is part of itself'],
    ['a value of 20,000 levels', z.any(), deep, 'nested more than 1000 levels deep'],
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
      'a member that may be undefined but not left out',
      z.object({ a: z.union([z.string(), z.undefined()]) }),
      { a: undefined },
      'a: JSON leaves out a member that is undefined, and the schema requires it; expected optional()',
    ],
  ])('never differs from the sent value: %s is refused', (_what, schema, payload, says) => {
    expect(() => sentPayload(contractOf(schema), payload)).toThrow(says);
    expect(() => sentPayload(contractOf(schema), payload)).toThrow(
      /^The payload of tests\.carry cannot be sent: /,
    );
  });

  test('is refused if the two sides of an intersection change it differently', () => {
    const schema = z.intersection(z.object({ a: z.string().trim() }), z.object({ a: z.string() }));
    const contract = contractOf(schema);
    for (const check of [sentPayload, receivedPayload])
      expect(() => check(contract, { a: ' x ' })).toThrow(InvalidValueError);
    expect(carried(schema, { a: 'x' })).toEqual({ a: 'x' });
  });

  test('equals the sent value, unless the send refused it', () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSparseArray: true,
      withNullPrototype: true,
    });
    fc.assert(
      fc.property(anything, (payload) => {
        expect(arrivedOrRefused(payload)).toEqual(asInJson(payload));
      }),
      { numRuns: randomRuns(1000) },
    );
  });
});

test('a value that changes each time it is read is read once, so the checked value is sent', () => {
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
  // oxlint-disable-next-line prefer-rest-params -- the test needs this object
  return arguments;
}

/** Sends a payload and receives it. Returns the payload itself if it is refused. */
function arrivedOrRefused(payload: unknown): unknown {
  try {
    return asInJson(carried(z.any(), payload));
  } catch (error) {
    if (error instanceof InvalidValueError) return asInJson(payload);
    throw error;
  }
}

/** Replaces -0 by 0 and leaves out undefined members, as JSON does. Jest sees a difference if one is named `toString`. */
function asInJson(value: unknown): unknown {
  if (Object.is(value, -0)) return 0;
  if (Array.isArray(value)) return value.map(asInJson);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(members.map(([name, member]) => [name, asInJson(member)]));
}
