import { describe, expect, test } from '@jest/globals';
import { reportOf } from '../contract-schema.ts';
import { checkedResult, receivedPayload, sentPayload } from '../contract-values.ts';
import { InvalidValueError } from '../invalid-value.ts';
import type { TaskContract } from '../task.ts';
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

/** Schemas that change a value each time they check it, with such a value and its path. */
const restless: [string, z.ZodType, unknown, string][] = [
  ['a check that sets a value', z.number().check((context) => void (context.value *= 100)), 42, '(root)'],
  [
    'a check in a nested schema',
    z.object({ a: z.array(z.object({ n: z.int().check((c) => void (c.value += 1)) })) }),
    { a: [{ n: 1 }] },
    'a.0.n',
  ],
  [
    'a refinement that sets a member',
    z.object({ eur: z.number() }).superRefine((order) => void (order.eur *= 100)),
    { eur: 42 },
    'eur',
  ],
  [
    'a refinement that adds an item',
    z.object({ l: z.array(z.int()) }).refine((value) => value.l.push(1)),
    { l: [0] },
    'l.2',
  ],
  [
    'a refinement of a value of any kind',
    z.any().refine((value: { n: number }) => (value.n += 1)),
    { n: 1 },
    'n',
  ],
  ['a custom schema', z.custom<{ n: number }>((value) => ((value as { n: number }).n += 1)), { n: 1 }, 'n'],
  [
    'an overwrite of rare texts',
    z.object({ t: z.string().overwrite((text) => text.replace(/^€€/, '€')) }),
    { t: '€€€' },
    't',
  ],
  [
    'an overwrite of rare numbers',
    z.number().overwrite((n) => (n > 1e6 && n < 1e9 ? n * 10 : n)),
    2e6,
    '(root)',
  ],
  [
    'an overwrite of member names',
    z.record(
      z.string().overwrite((name) => name.replace(/^€/, '')),
      z.int(),
    ),
    { '€€a': 1 },
    '€a',
  ],
  ['two changes, each idempotent alone', z.string().trim().normalize('NFKC'), '\u00A8x', '(root)'],
  ['a check before a change', z.string().min(3).trim(), ' a ', '(root)'],
  ['a check before the change of a URL', z.string().min(10).url(), '     a://b', '(root)'],
  [
    'a union whose options change values',
    z.union([z.string().max(3).toUpperCase(), z.string().trim()]),
    ' abc ',
    '(root)',
  ],
  [
    'a union whose options drop members',
    z.union([z.object({ a: z.int().optional() }), z.object({ b: z.int() })]),
    { a: 'x', b: 1 },
    'b',
  ],
  [
    'a union whose options fill in members',
    z.union([z.strictObject({ a: z.int().default(1) }), z.object({})]),
    { b: 1 },
    'a',
  ],
  [
    'an intersection',
    z.intersection(z.object({ a: z.string().default('x') }), z.object({ a: z.literal('y').optional() })),
    {},
    'a',
  ],
  [
    'a pipe that drops members',
    z.object({ a: z.int(), b: z.int() }).pipe(z.object({ a: z.int() }) as never),
    { a: 1, b: 1 },
    'b',
  ],
  [
    'a catch that depends on the invalid value',
    z
      .string()
      .max(3)
      .catch(({ value }) => (typeof value === 'string' ? `${value}!` : '')),
    'abcd',
    '(root)',
  ],
];

describe('a value that the receiver would change or refuse', () => {
  test.each(restless)('is refused at the send because of %s', (_what, schema, payload, path) => {
    const { name, message } = thrownBy(() => sentPayload(contractOf(schema), payload));
    expect(name).toBe('InvalidValueError');
    expect(message).toContain(`The payload of tests.carry cannot be sent: ${path}: `);
  });

  test.each(restless)('is refused as a result because of %s', (_what, schema, result, path) => {
    const contract = { ...contractOf(z.void(), schema), tracked: true };
    const { name, message } = thrownBy(() => checkedResult(contract, result));
    expect(name).toBe('RejectTask');
    expect(message).toContain(`The result of tests.carry cannot be kept: ${path}: `);
  });

  test.each<[string, z.ZodType, unknown, unknown]>([
    [
      'a check that always sets the same value',
      z.number().check((context) => void (context.value = 7)),
      1,
      7,
    ],
    [
      'a refinement that removes items',
      z.array(z.int()).superRefine((list) => void list.splice(1)),
      [2, 1],
      [2],
    ],
    ['a change that the value already has', z.string().min(3).trim(), 'abc', 'abc'],
    [
      'an overwrite that throws for other values',
      z.string().overwrite((text) => new URL(text).href),
      'HTTP://A.b',
      'http://a.b/',
    ],
    ['a union', z.union([z.object({ a: z.int() }), z.object({ b: z.int() })]), { b: 1, c: 1 }, { b: 1 }],
  ])('is accepted if %s changes nothing the second time', (_what, schema, payload, arrives) => {
    expect(carried(schema, payload)).toEqual(arrives);
  });

  test('is refused if a check turns out to be asynchronous', () => {
    const schema = z.string().superRefine(async () => undefined);
    const sending = thrownBy(() => sentPayload(contractOf(schema), 'x'));
    const ending = thrownBy(() => checkedResult(contractOf(z.void(), schema), 'x'));
    expect([sending.name, ending.name]).toEqual(['InvalidValueError', 'RejectTask']);
    for (const { message } of [sending, ending]) expect(message).toContain('asynchronous check');
  });
});

/** Random schemas. Their parts check a value, change it, fill it in or drop members of it. */
const { schema: schemas } = fc.letrec<{ schema: z.ZodType; text: z.ZodType; number: z.ZodType }>((tie) => ({
  text: fc
    .array(
      fc.constantFrom<(schema: z.ZodString) => z.ZodString>(
        (schema) => schema.trim(),
        (schema) => schema.toLowerCase(),
        (schema) => schema.toUpperCase(),
        (schema) => schema.normalize('NFKC'),
        (schema) => schema.min(2),
        (schema) => schema.max(3),
        (schema) => schema.refine((text) => text !== 'a'),
        (schema) => schema.regex(/^[a ]/i),
        (schema) => schema.check((context) => void (context.value = context.value.slice(0, 3))),
      ),
      { maxLength: 3 },
    )
    .map((checks) => checks.reduce((schema, check) => check(schema), z.string())),
  number: fc.constantFrom<z.ZodType>(
    z.number(),
    z.coerce.number(),
    z.int().min(0).catch(1),
    z.number().overwrite(Math.round).max(2),
    z.number().max(1).overwrite(Math.abs),
  ),
  schema: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.oneof(tie('text'), tie('number'), fc.constantFrom(z.any(), z.null(), z.boolean(), z.literal('a'))),
    fc.tuple(tie('schema'), tie('schema')).map((options) => z.union(options)),
    fc.tuple(tie('schema'), tie('schema')).map(([one, other]) => z.object({ a: one, b: other.optional() })),
    fc
      .tuple(tie('schema'), tie('schema'))
      .map(([one, other]) => z.strictObject({ b: one.optional(), a: other })),
    fc.tuple(tie('schema'), tie('schema')).map(([one, other]) => one.pipe(other as never)),
    fc.tuple(tie('schema'), tie('schema')).map(([one, other]) => z.intersection(one, other)),
    fc.tuple(tie('text'), tie('schema')).map(([name, member]) => z.record(name as z.ZodString, member)),
    tie('schema').map((item) => z.array(item).max(2)),
    tie('schema').map((inner) => inner.nullable()),
    tie('schema').map((inner) => inner.catch('a')),
    tie('schema').map((inner) => inner.default('a ')),
    tie('schema').map((inner) => inner.prefault(' A')),
  ),
}));
const values = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    fc.constantFrom('a', ' A', 'a  b', ' \u00A8a', 'ß a ', '1', 0, -1, 2.5, true, null, undefined),
    fc.array(tie('value'), { maxLength: 2 }),
    fc.record({ a: tie('value'), b: tie('value'), ' A': tie('value') }, { requiredKeys: [] }),
  ),
})).value;

test('a random schema or its value is refused, or the value arrives as it was sent', () => {
  let arrived = 0;
  fc.assert(
    fc.property(schemas, fc.array(values, { minLength: 5, maxLength: 5 }), (schema, payloads) => {
      if (reportOf(schema).issues.length > 0) return;
      const contract = contractOf(schema);
      for (const payload of payloads) {
        const sent = sentOf(contract, payload);
        if (sent === undefined) continue;
        expect(receivedPayload(contract, JSON.parse(sent))).toEqual(JSON.parse(sent));
        arrived += 1;
      }
    }),
    { numRuns: randomRuns(3000) },
  );
  expect(arrived).toBeGreaterThan(randomRuns(500));
});

/** A sent payload as JSON. Undefined if the send refuses it. */
function sentOf(contract: TaskContract, payload: unknown): string | undefined {
  try {
    return JSON.stringify(sentPayload(contract, payload));
  } catch (error) {
    if (error instanceof InvalidValueError) return undefined;
    throw error;
  }
}

function thrownBy(run: () => unknown): Error {
  try {
    run();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('expected an error');
}
