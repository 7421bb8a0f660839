import { expect, test } from '@jest/globals';
import { Program } from 'baton-dev/testing/program';
import { missingForWrongClocks } from '../support/wrong-clock.ts';

test('a short soak with all troubles loses no task, and no innocent task becomes a dead letter', async () => {
  const troubles = [
    '--kills',
    '6',
    '--pauses',
    '3',
    '--clocks',
    missingForWrongClocks ? '0' : '2',
    '--disks',
    '2',
  ];
  const plan = ['--tasks', '2000', '--poisons', '2', '--cuts', '5', '--restarts', '2', ...troubles];
  const soak = new Program('packages/baton/tests/faults/soak.ts', {}, plan);
  const status = await soak.ended();
  const count = (name: string): number =>
    Number(new RegExp(`^${name} +(\\d+)$`, 'm').exec(soak.output)?.[1] ?? Number.NaN);
  expect(soak.output).toMatch(/^lost +0\nunexpected +0\ninnocent tasks dead +0\nleft in the queue +0$/m);
  expect(count('acknowledged')).toBe(2002);
  expect(count('dead after crashes') - count('killed while alone')).toBe(2);
  expect(count('done') + count('rejected')).toBeGreaterThanOrEqual(2000);
  expect(count('rejected')).toBeGreaterThan(0);
  expect(status).toBe(0);
}, 240_000);
