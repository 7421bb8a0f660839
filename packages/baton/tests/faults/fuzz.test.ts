import { expect, test } from '@jest/globals';
import { fuzz } from './fuzz.ts';

const BODIES = 200_000;
const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

test(`each of ${BODIES} random bodies runs or becomes a dead letter with its reason (FUZZ_SEED=${seed})`, async () => {
  const { outcomes, runs } = await fuzz(BODIES, seed);
  expect(Object.keys(outcomes).toSorted((a, b) => a.localeCompare(b))).toEqual([
    'done',
    'invalid-payload',
    'malformed',
    'unknown-task',
  ]);
  expect(outcomes['done']).toBe(runs);
  expect(Object.values(outcomes).reduce((sum, count) => sum + count, 0)).toBe(BODIES);
}, 90_000);
