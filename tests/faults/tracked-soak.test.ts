import { expect, test } from '@jest/globals';
import { Program } from '../support/program.ts';

test('a short soak of tracked tasks: 200 tasks, 10 workers killed, 200 results, each written once, 200 effects, none twice', async () => {
  const soak = new Program('tests/faults/tracked-soak.ts', {}, ['--tasks', '200', '--kills', '10']);
  const status = await soak.ended();
  expect(soak.output).toMatch(
    /^results as expected +200\nresults written +200\nrows in the sink +200\nresults missing +0\n/m,
  );
  expect(soak.output).toMatch(/^asked again though kept +0\nleft in the queue +0$/m);
  expect(status).toBe(0);
}, 120_000);
