import { expect, test } from '@jest/globals';
import { Program } from 'baton-dev/testing/program';
import { missingForWrongClocks } from '../support/wrong-clock.ts';

test('a short soak of 200 tracked tasks writes each result once, and has each effect once', async () => {
  const clocks = missingForWrongClocks ? '0' : '2';
  const troubles = ['--kills', '5', '--pauses', '3', '--clocks', clocks, '--disks', '1'];
  const plan = ['--tasks', '200', '--poisons', '2', ...troubles];
  const soak = new Program('packages/baton/tests/faults/tracked-soak.ts', {}, plan);
  const status = await soak.ended();
  expect(soak.output).toMatch(
    /^results as expected +200\nresults written +200\nrows in the sink +200\ninnocent tasks dead +0\nresults missing +0\n/m,
  );
  expect(soak.output).toMatch(/^asked again though kept +0\npoison not dead +0\nleft in the queue +0$/m);
  expect(status).toBe(0);
}, 240_000);
