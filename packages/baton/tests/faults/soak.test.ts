import { expect, test } from '@jest/globals';
import { Program } from 'baton-dev/testing/program';
import { missingForWrongClocks } from '../support/wrong-clock.ts';

test('a short soak loses nothing and sets no innocent task aside: workers killed, paused, with wrong clocks and full disks, poison, network and broker troubled', async () => {
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
  expect(soak.output).toMatch(/^lost +0\nunexpected +0\ninnocents dead +0\nleft in the queue +0$/m);
  expect(count('acknowledged')).toBe(2002);
  expect(count('set aside as crashed') - count('killed while alone')).toBe(2);
  expect(count('done') + count('rejected themselves')).toBeGreaterThanOrEqual(2000);
  expect(count('rejected themselves')).toBeGreaterThan(0);
  expect(status).toBe(0);
}, 240_000);
