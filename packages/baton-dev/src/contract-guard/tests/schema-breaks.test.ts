import { describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import type { Schema } from '../schema.ts';
import { schemaBreaks } from '../schema-breaks.ts';

const schemaOf = (type: z.ZodType): Schema => z.toJSONSchema(type, { io: 'input' });

function breaks(released: z.ZodType, changed: z.ZodType, filled = false): string[] {
  return schemaBreaks(schemaOf(released), schemaOf(changed), filled).map(
    ({ path, kind, what, which }) => `${kind} ${path}: ${what}${which && `: ${which}`}`,
  );
}

const text = z.string();
const tree = (leaf: z.ZodType) => {
  const node: z.ZodType = z.object({
    leaf,
    get next() {
      return node.optional();
    },
  });
  return z.object({ root: node });
};
const shape = (...sides: z.ZodType[]) =>
  z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('circle'), radius: z.int() }),
    z.object({ kind: z.literal('square'), side: sides[0] ?? z.int() }),
    ...sides.slice(1).map((other) => z.object({ kind: z.literal('other'), other })),
  ]);

describe('a change that breaks nothing:', () => {
  test.each<[string, z.ZodType, z.ZodType]>([
    ['the same', z.object({ a: text }), z.object({ a: text })],
    ['another order', z.object({ a: text, b: text }), z.object({ b: text, a: text })],
    ['another order of values', z.enum(['a', 'b']), z.enum(['b', 'a'])],
    ['another order of forms', z.union([text, z.int()]), z.union([z.int(), text])],
    ['one value, written as an enum', z.literal('a'), z.enum(['a'])],
    ['a description', z.object({ a: text }), z.object({ a: text.describe('said') })],
    ['an optional property more', z.object({ a: text }), z.object({ a: text, b: text.optional() })],
    ['one with a default more', z.object({ a: text }), z.object({ a: text, b: text.default('x') })],
    [
      'a new optional property, deeply nested',
      z.object({ a: z.array(z.record(text, z.object({}))) }),
      z.object({ a: z.array(z.record(text, z.object({ b: text.optional() }))) }),
    ],
    [
      'a new optional property in a form of a union',
      z.discriminatedUnion('kind', [z.object({ kind: z.literal('a') }), z.object({ kind: z.literal('b') })]),
      z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('a'), more: text.optional() }),
        z.object({ kind: z.literal('b') }),
      ]),
    ],
    ['another default', z.object({ a: text.default('x') }), z.object({ a: text.default('y') })],
    ['the same tree', tree(text), tree(text)],
    ['a name for a part', z.object({ a: text }), z.object({ a: z.string().meta({ id: 'Text' }) })],
    ['the same tuple', z.tuple([text, z.int()]), z.tuple([text.describe('said'), z.int()])],
  ])('%s', (_what, released, changed) => {
    expect(breaks(released, changed)).toEqual([]);
  });
});

describe('a change that breaks messages:', () => {
  test.each<[string, z.ZodType, z.ZodType, ...string[]]>([
    [
      'optional, now required',
      z.object({ a: z.array(z.object({ b: text.optional() })) }),
      z.object({ a: z.array(z.object({ b: text })) }),
      'older .a[].b: was optional, is now required: without it',
    ],
    [
      'required, now optional',
      z.object({ a: text }),
      z.object({ a: text.optional() }),
      'behind .a: was required, is now optional: without it',
    ],
    [
      'required, now with a default, if writers do not fill it in',
      z.object({ a: text }),
      z.object({ a: text.default('x') }),
      'behind .a: was required, is now optional: without it',
    ],
    [
      'a new required property',
      z.object({}),
      z.object({ a: text }),
      'older .a: was not there, is now required: without it',
    ],
    [
      'a removed required property',
      z.object({ a: text }),
      z.object({}),
      'behind .a: was required, is gone: without it',
    ],
    ['an optional property less', z.object({ a: text.optional() }), z.object({}), 'lost .a: is gone: in it'],
    [
      'a new property in an object that refuses unknown ones',
      z.strictObject({}),
      z.strictObject({ a: text.optional() }),
      'behind .a: is new: with it',
    ],
    [
      'a new property in an object that accepted unknown ones',
      z.looseObject({}),
      z.looseObject({ a: text.optional() }),
      'older .a: is new: with something else under this name',
    ],
    [
      'unknown properties, now refused',
      z.object({}),
      z.strictObject({}),
      'older : had no additionalProperties, is now false: that break it',
    ],
    [
      'unknown properties, no longer refused',
      z.strictObject({}),
      z.object({}),
      'behind : additionalProperties was false, is now gone: that break what it was',
    ],
    [
      'another type',
      text,
      z.int(),
      'older : was string, is now integer: with string',
      'behind : was string, is now integer: with integer',
    ],
    ['an integer, now a number', z.int(), z.number(), 'behind : was integer, is now number: with number'],
    ['anything, now a string', z.unknown(), text, 'older : was anything, is now string: with anything'],
    [
      'text that may be null',
      text,
      text.nullable(),
      'behind : was string, is now string or null: with string or null',
    ],
    [
      'an object that may be null',
      z.object({ a: text }),
      z.object({ a: text }).nullable(),
      'behind : may now be null: with that',
    ],
    ['a value less', z.enum(['a', 'b']), z.enum(['a']), 'older : was "a" or "b", is now "a": with "b"'],
    ['a value more', z.enum(['a']), z.enum(['a', 'b']), 'behind : was "a", is now "a" or "b": with "b"'],
    [
      'any text instead of values',
      z.enum(['a']),
      text,
      'behind : was "a", is now anything: with anything else',
    ],
    [
      'values instead of any text',
      text,
      z.literal('a'),
      'older : was anything, is now "a": with anything else',
    ],
    ['a lower maximum', z.int().max(9), z.int().max(5), 'older : maximum was 9, is now 5: beyond it'],
    ['a higher maximum', z.int().max(5), z.int().max(9), 'behind : maximum was 5, is now 9: beyond it'],
    ['a higher minimum', z.int().min(1), z.int().min(2), 'older : minimum was 1, is now 2: beyond it'],
    ['a lower minimum', z.int().min(2), z.int().min(1), 'behind : minimum was 2, is now 1: beyond it'],
    [
      'an open minimum, closed',
      z.number().min(0),
      z.number().gt(0),
      'behind : minimum was 0, is now gone: beyond it',
      'older : had no exclusiveMinimum, is now 0: beyond it',
    ],
    ['shorter text', text.max(9), text.max(5), 'older : maxLength was 9, is now 5: beyond it'],
    ['text of any length', text.min(1), text, 'behind : minLength was 1, is now gone: beyond it'],
    ['fewer items', z.array(text), z.array(text).max(5), 'older : had no maxItems, is now 5: beyond it'],
    ['a pattern', text, text.regex(/^a$/), 'older : had no pattern, is now "^a$": that break it'],
    [
      'no pattern',
      text.regex(/^a$/),
      text,
      'behind : pattern was "^a$", is now gone: that break what it was',
    ],
    ['another pattern', text.regex(/^a$/), text.regex(/^b$/), 'unclear : pattern was "^a$", is now "^b$"'],
    ['a format', text, z.url(), 'older : had no format, is now "uri": that break it'],
    [
      'whole tens',
      z.number(),
      z.number().multipleOf(10),
      'older : had no multipleOf, is now 10: that break it',
    ],
    [
      'other items',
      z.array(text),
      z.array(z.int()),
      'older []: was string, is now integer: with string',
      'behind []: was string, is now integer: with integer',
    ],
    [
      'other values of a record',
      z.record(text, z.int()),
      z.record(text, z.int().min(0)),
      'older {}: minimum was -9007199254740991, is now 0: beyond it',
    ],
    [
      'other keys of a record',
      z.record(text, z.int()),
      z.record(text.max(3), z.int()),
      'older {key}: had no maxLength, is now 3: beyond it',
    ],
    [
      'another place of a tuple',
      z.tuple([text, z.int()]),
      z.tuple([text, text]),
      'older [1]: was integer, is now string: with integer',
      'behind [1]: was integer, is now string: with string',
    ],
    [
      'a removed place of a tuple',
      z.tuple([text, text]),
      z.tuple([text]),
      'unclear : prefixItems was [{"type":"string"},{"type":"string"}], is now [{"type":"string"}]',
      'behind : minItems was 2, is now 1: beyond it',
      'older : maxItems was 2, is now 1: beyond it',
    ],
    [
      'another form',
      shape(z.int().max(9)),
      shape(z.int().max(5)),
      'older (kind="square").side: maximum was 9, is now 5: beyond it',
    ],
    ['a form more', shape(), shape(z.int(), text), 'behind : may now be kind="other": with that'],
    ['a form less', shape(z.int(), text), shape(), 'older : could be kind="other": with that'],
    [
      'a removed type of a union',
      z.union([text, z.object({})]),
      z.union([text, z.int()]),
      'older : could be object: with that',
      'behind : may now be number: with that',
    ],
    [
      'forms without a distinguishing property',
      z.union([z.object({ a: text }), z.object({ b: text })]),
      z.union([z.object({ a: text }), z.object({ b: z.int() })]),
      'older .b: was string, is now integer: with string',
      'behind .b: was string, is now integer: with integer',
      'dropped .a: is not in every form: with a wrong one',
      'dropped .b: is not in every form: with a wrong one',
    ],
    [
      'a new form with a property more, which the old form drops',
      z.object({ a: text }),
      z.union([z.object({ a: text, b: text }), z.object({ a: text })]),
      'behind : may now be another form, which differs in b: with that',
      'dropped .b: is not in every form: with a wrong one',
    ],
    [
      'a new form with a property more, which the old form refuses',
      z.object({ a: text }),
      z.union([z.object({ a: text, b: text }), z.object({ a: text, b: z.never().optional() })]),
      'behind : may now be another form, which differs in b: with that',
    ],
    [
      'a form less of two that nothing tells apart',
      z.union([z.object({ a: text, b: text }), z.object({ a: text, b: z.never().optional() })]),
      z.object({ a: text, b: text }),
      'older : could be another form, which differs in b: with that',
    ],
    [
      'several new forms, each with its name',
      z.object({ a: text }),
      z.union([
        z.object({ a: text, b: text, c: z.never().optional() }),
        z.object({ a: text, b: z.never().optional(), c: z.int() }),
        z.object({ a: text, b: z.never().optional(), c: z.never().optional() }),
      ]),
      'behind : may now be another form, which differs in b: with that',
      'behind : may now be another form, which differs in c: with that',
    ],
    [
      'a choice of exactly one form, with a new property',
      z.xor([z.object({ a: text }), z.object({ b: text })]),
      z.xor([z.object({ a: text, b: text.optional() }), z.object({ b: text })]),
      'unclear : is a union that has changed',
    ],
    [
      'forms with an optional distinguishing property, one of which accepts more',
      z.xor([
        z.object({ a: z.literal('x').optional() }),
        z.object({ a: z.literal('y').optional(), b: text }),
      ]),
      z.xor([
        z.object({ a: z.literal('x').optional(), c: text.optional() }),
        z.object({ a: z.literal('y').optional(), b: text }),
      ]),
      'unclear : is a union that has changed',
    ],
    [
      'a tree with other leaves',
      tree(text),
      tree(text.max(5)),
      'older .root.leaf: had no maxLength, is now 5: beyond it',
    ],
    [
      'several patterns',
      text.regex(/^a/).regex(/b$/),
      text.regex(/^a/).regex(/c$/),
      'unclear : allOf was [{"pattern":"^a"},{"pattern":"b$"}], is now [{"pattern":"^a"},{"pattern":"c$"}]',
    ],
  ])('%s', (_what, released, changed, ...expected) => {
    expect(breaks(released, changed).toSorted()).toEqual(expected.toSorted());
  });
});

describe('if writers fill all defaults in, a change of a property:', () => {
  test.each<[string, z.ZodType, z.ZodType, ...string[]]>([
    ['required, now with a default', z.object({ a: text }), z.object({ a: text.default('x') })],
    ['with a default, now required', z.object({ a: text.default('x') }), z.object({ a: text })],
    [
      'optional, now required',
      z.object({ a: text.optional() }),
      z.object({ a: text }),
      'older .a: was optional, is now required: without it',
    ],
  ])('%s', (_what, released, changed, ...expected) => {
    expect(breaks(released, changed, true)).toEqual(expected);
  });
});

test('two references with the same text are equal only if their targets are equal', () => {
  const under = (keyword: string, leaf: Schema): Schema => ({
    [keyword]: { $ref: '#/$defs/leaf' },
    $defs: { leaf },
  });
  const [one, other]: [Schema, Schema] = [{ type: 'string' }, { type: 'string', maxLength: 5 }];
  const found = schemaBreaks(under('contains', one), under('contains', other), false);
  expect(found).toMatchObject([{ kind: 'unclear' }]);
});
