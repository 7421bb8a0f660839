import { expect, test } from '@jest/globals';
import { targetsForTerminal } from '../terminal-table.ts';
import { fullResults, resultsFallingShort } from './synthetic-results.ts';

test('piped targets are lines that can be searched', () => {
  const lines = targetsForTerminal(resultsFallingShort(), {}).trimEnd().split('\n');
  expect(lines).toContain('FALLS SHORT  `npm start` to the first 202: 7.5 s (at most 5 s)');
  expect(lines).toContain(
    "holds        Send to start when idle: p50, less the raw loop's (fauxqs): 0.5 ms (at most 2 ms)",
  );
  expect(lines.at(-1)).toBe('36 of 39 targets hold, 1 falls short, 2 were not measured.');
});

test('on a terminal they are a table', () => {
  const text = targetsForTerminal(fullResults(), { isTTY: true });
  expect(text).toMatch(/│ what +│ target +│ +median │ +rounds │ holds +│/);
  expect(text).toContain('0.366×');
});

test('a short run gives no verdicts', () => {
  expect(targetsForTerminal({ ...fullResults(), mode: 'quick' }, {})).toBe(
    'A short run judges nothing by time: npm run bench does.\n',
  );
});
