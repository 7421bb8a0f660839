import { describe, expect, test } from '@jest/globals';
import { reportOf } from '../contract-schema.ts';
import { defineTask } from '../task.ts';
import { contractOf } from './carried-contract.ts';
import * as z from 'zod';

const euro = z.number().transform((amount) => amount * 100);
const codec = z.codec(z.iso.datetime(), z.date(), {
  decode: (text) => new Date(text),
  encode: (date) => date.toISOString(),
});
const tree: z.ZodType = z.lazy(() => z.object({ at: z.date(), inner: tree.optional() }));

/** Has the same checks as contracts with addresses: a pattern, and refinements that abort. */
const addressSchema = z
  .string()
  .max(320)
  .regex(/^[^@ ]+@[^@ ]+$/, { error: 'expected an address', abort: true })
  .refine((address) => address.length > 3, { error: 'expected more', abort: true });

const basketSchema = z.object({
  basketId: z.uuid(),
  email: addressSchema,
  items: z
    .array(z.object({ productId: z.string().min(1).max(64), quantity: z.int().min(1).max(10_000) }))
    .min(1)
    .max(100),
  total: z.int().positive(),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/, { error: 'expected a code', abort: true })
    .refine((code) => code !== 'XXX'),
  priority: z.enum(['LOW', 'NORMAL', 'HIGH']).default('NORMAL'),
});

describe('defineTask refuses a contract whose schema', () => {
  test.each<[string, z.ZodType, RegExp]>([
    ['is a date', z.object({ at: z.date() }), /JSON has no date: expected a string.*\n.*at payload\.at/],
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
    ['is a literal that JSON cannot carry', z.literal([1, 5n]), /JSON has no bigint/],
    [
      'transforms',
      z.object({ amount: euro }),
      /a transform is applied where the value is sent, and again.*\n.*at payload\.amount/,
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
    ['transforms the values of unknown members', z.object({}).catchall(euro), /a transform/],
    ['transforms an optional value', euro.optional(), /a transform/],
    ['preprocesses', z.preprocess((value) => Number(value) * 100, z.number()), /a transform/],
    ['has a codec', z.object({ at: codec }), /a codec decodes/],
    ['is a stringbool', z.stringbool(), /a codec decodes/],
    ['is a date deep inside itself', tree, /JSON has no date/],
    [
      'overwrites a value differently each time',
      z.number().overwrite((amount) => amount * 100),
      /an overwrite/,
    ],
    ['overwrites an object', z.object({}).overwrite((value) => value), /an overwrite/],
    [
      'pipes into a schema that changes values',
      z.string().pipe(z.coerce.number()),
      /a pipe into a schema that changes values/,
    ],
    ['returns whether a check would succeed', z.success(z.string()), /its output does not match its input/],
    [
      'transforms the names of members',
      z.record(
        z.string().transform((name) => `x${name}`),
        z.int(),
      ),
      /a transform/,
    ],
    [
      'overwrites the names of members',
      z.record(
        z.string().overwrite((name) => `x${name}`),
        z.int(),
      ),
      /an overwrite/,
    ],
    [
      'has a member __proto__',
      z.object({ ['__proto__']: z.string() }),
      /zod drops a member with the name __proto__/,
    ],
    ['names members by symbols', z.record(z.symbol(), z.int()), /JSON has no symbol/],
    ...(
      [
        ['escapes', (text) => text.replaceAll('&', '&amp;')],
        ['unescapes', (text) => text.replaceAll('&amp;', '&')],
        ['removes one hyphen', (text) => text.replace('-', '')],
        ['removes a plus', (text) => text.replace(/^\+/, '')],
        ['removes quotes', (text) => text.replace(/^"(.*)"$/, '$1')],
        ['decodes', decodeURIComponent],
        ['encodes', encodeURIComponent],
        ['quotes', JSON.stringify],
      ] as [string, (text: string) => string][]
    ).map(([what, change]): [string, z.ZodType, RegExp] => [
      `overwrites a text each time: ${what}`,
      z.object({ text: z.string().overwrite(change) }),
      /an overwrite is applied.*\n.*at payload\.text/,
    ]),
    [
      'refines asynchronously',
      z.object({ a: z.string().refine(async () => true) }),
      /asynchronous.*\n.*payload\.a/,
    ],
    ['checks asynchronously', z.string().check(async () => undefined), /asynchronous/],
    ['overwrites asynchronously', z.string().overwrite((async () => '') as never), /asynchronous/],
    [
      'has an asynchronous check of any value',
      z.object({ a: z.any().refine(async () => Promise.reject(new Error('x'))) }),
      /asynchronous/,
    ],
    [
      'has a default that it changes',
      z.string().trim().default(' x '),
      /its default is changed by its own schema/,
    ],
    ['has a catch value that it changes', z.string().trim().catch(' x '), /its catch value is changed/],
    ['refuses its own default', z.string().min(3).default('x'), /its default breaks its own schema/],
    ['has a default that is not JSON', z.any().default(() => new Date()), /its default is not JSON/],
    ['has a catch value that is not JSON', z.any().catch(NaN), /its catch value is not JSON/],
  ])('%s', (_what, schema, says) => {
    expect(() => contractOf(schema)).toThrow(says);
    expect(() => contractOf(z.object({}), schema)).toThrow(TypeError);
  });

  test.each([
    ['z.lazy', (get: () => z.ZodType) => z.object({ a: z.lazy(get) })],
    [
      'a getter',
      (get: () => z.ZodType) =>
        z.object({
          get a() {
            return get();
          },
        }),
    ],
  ])('refers with %s to a schema that is declared further down', (_what, schemaOf) => {
    const define = () => contractOf(schemaOf(() => later));
    expect(define).toThrow(/not there yet \(Cannot access 'later' before initialization\)/);
    expect(define).toThrow(TypeError);
    const later = z.string();
    expect(define).not.toThrow();
  });

  test('cannot tell whether it accepts {}, which a schedule sends', () => {
    const scheduled = { tracked: true, schedule: { cron: '0 0 * * *', timeZone: 'UTC' } };
    const payload = z.object({}).refine(() => Promise.resolve(true));
    expect(() => defineTask({ ...contractOf(z.object({})), ...scheduled, payload })).toThrow(
      /expected a payload that may be \{\}/,
    );
  });
});

test('JSON carries the values of a plain schema unchanged, so they are not checked a second time', () => {
  const plain = z.object({
    id: z.string(),
    items: z.array(z.object({ n: z.int(), note: z.string().optional() })).max(3),
    kind: z.enum(['a', 'b']),
  });
  expect(reportOf(plain)).toEqual({ issues: [], isExact: true });
  for (const open of [z.any(), z.array(z.string().optional()), z.looseObject({}), z.object({ a: z.void() })])
    expect(reportOf(open)).toEqual({ issues: [], isExact: false });
});

test.each([
  ['trims', z.string().trim().min(1)],
  ['folds', z.string().trim().toLowerCase().max(9)],
  ['is a URL', z.url().max(99)],
  [
    'refines a text',
    z
      .string()
      .min(1)
      .refine(() => true),
  ],
  ['is a union of several kinds', z.union([z.string(), z.int(), z.null()])],
  [
    'tells objects apart by a member',
    z.discriminatedUnion('status', [
      z.object({
        id: z.uuid(),
        status: z.literal('running'),
        at: z.iso.datetime(),
        token: z.int().optional(),
      }),
      z.object({ id: z.uuid(), status: z.literal('failed'), reason: z.string().min(1).max(500) }),
    ]),
  ],
  ['has lists of objects, codes, a default and an address', basketSchema],
  [
    'has other members for each kind',
    z.discriminatedUnion('channel', [
      z.object({ channel: z.literal('EMAIL'), recipient: addressSchema, subject: z.string().max(200) }),
      z.object({ channel: z.literal('SMS'), recipient: z.string().max(320), subject: z.string().optional() }),
    ]),
  ],
])('a value is checked only once at the send by a schema that %s', (_what, schema) => {
  expect(reportOf(schema)).toEqual({ issues: [], isExact: true });
});
