import { expect, test } from '@jest/globals';
import { Program } from '../support/program.ts';

test('a short soak loses nothing: 2,000 tasks, 10 workers killed, the network cut 5 times', async () => {
  const soak = new Program('tests/faults/soak.ts', {}, ['--tasks', '2000', '--kills', '10', '--cuts', '5']);
  const status = await soak.ended();
  expect(soak.output).toMatch(/tasks sent +2000\ndone +2000\ndead letters +0\nlost +0\n/);
  expect(status).toBe(0);
}, 90_000);
