import { expect, test } from '@jest/globals';
import { targetsForTerminal } from '../terminal-table.ts';
import { fullResults, resultsFallingShort } from './synthetic-results.ts';

test('piped targets are lines of text', () => {
  const lines = targetsForTerminal(resultsFallingShort(), {}).trimEnd().split('\n');
  expect(lines).toContain('FALLS SHORT  `npm start` to the first 202: 7.5 s (at most 5 s)');
  expect(lines).toContain(
    'holds        Send to start when idle: p50, minus the raw loop (fauxqs): 0.5 ms (at most 2 ms)',
  );
  expect(lines.at(-1)).toBe('36 of 39 targets hold, 1 falls short, 2 were not measured.');
});

test('targets on a terminal are a table', () => {
  const text = targetsForTerminal(fullResults(), { isTTY: true });
  expect(text).toMatch(/│ figure +│ target +│ +median │ +rounds │ holds +│/);
  expect(text).toContain('0.366×');
});

test('a quick run gives no verdicts', () => {
  expect(targetsForTerminal({ ...fullResults(), mode: 'quick' }, {})).toBe(
    'A quick run judges no targets. Run npm run bench for that.\n',
  );
});
