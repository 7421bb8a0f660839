import { expect, test } from '@jest/globals';
import { Program } from '../support/program.ts';

test('a short soak loses nothing: 2,000 tasks, 10 workers killed, the network troubled 5 times, the broker restarted twice', async () => {
  const plan = ['--tasks', '2000', '--kills', '10', '--cuts', '5', '--restarts', '2'];
  const soak = new Program('tests/faults/soak.ts', {}, plan);
  const status = await soak.ended();
  const count = (name: string): number =>
    Number(new RegExp(`^${name} +(\\d+)$`, 'm').exec(soak.output)?.[1] ?? Number.NaN);
  expect(soak.output).toMatch(/^lost +0\nmisplaced +0\nleft in the queue +0$/m);
  expect(count('tasks sent')).toBe(2000);
  expect(count('done') + count('dead letters')).toBe(2000);
  expect(count('dead letters')).toBeGreaterThan(0);
  expect(status).toBe(0);
}, 120_000);
