import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import * as z from 'zod';
import { canonical, type Schema } from '../schema.ts';
import { schemaBreaks } from '../schema-breaks.ts';
import { planAndChange, schemaOf, valueOf } from './random-schemas.ts';
import { randomRuns } from '../../testing/random-runs.ts';

const PAIRS = randomRuns(500);
const VALUES = 10;

const jsonOf = (schema: z.ZodType): Schema => z.toJSONSchema(schema, { io: 'input' });

test.each([
  ['as it is taken', false],
  ['with its defaults filled in', true],
])('if the guard finds no break, either schema reads all values of the other one %s', (_what, filled) => {
  let goingOn = 0;
  fc.assert(
    fc.property(planAndChange, fc.infiniteStream(fc.nat()), ([before, after], seeds) => {
      const [released, changed] = [schemaOf(before), schemaOf(after)];
      const [one, other] = [jsonOf(released), jsonOf(changed)];
      if (canonical(one) === canonical(other) || schemaBreaks(one, other, filled).length > 0) return;
      goingOn += 1;
      for (const [writer, plan, reader] of [
        [released, before, changed],
        [changed, after, released],
      ] as const) {
        const [seed = 0] = seeds.take(1);
        for (const value of fc.sample(valueOf(plan), { numRuns: VALUES, seed })) {
          const written = writer.parse(value);
          expect(reader.safeParse(filled ? written : value)).toMatchObject({ success: true });
        }
      }
    }),
    { numRuns: PAIRS },
  );
  expect(goingOn).toBeGreaterThan(PAIRS / 20);
});
