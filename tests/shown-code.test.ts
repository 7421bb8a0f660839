import { describe, expect, test } from '@jest/globals';
import { newFiles } from 'baton-dev/new-service/template';
import { Program } from 'baton-dev/testing/program';
import { linesOf, readme } from './support/readme.ts';
import { textOf } from './support/source.ts';

/** The code that the guide shows parts of: the examples, and the service that the scaffold makes. */
async function shownCode(): Promise<string> {
  const examples = ['reports.ts', 'tracked-tasks.ts', 'tests/reports.test.ts'].map((file) =>
    textOf(`examples/${file}`),
  );
  const service = await newFiles('.', { plural: 'payments', singular: 'payment' }, 8999);
  return [...examples, ...service.map(({ text }) => text)].join('\n');
}

describe('the code', () => {
  test('that the README opens with is examples/greeting.ts, which says what the README says', async () => {
    expect(readme).toContain(`\`\`\`ts\n${textOf('examples/greeting.ts')}\`\`\``);
    const program = new Program('examples/run.ts', {}, ['greeting']);
    await expect(program.ended()).resolves.toBe(0);
    expect(program.output.trim()).toBe('Hello, Ada!');
    expect(readme).toMatch(/prints\s+`Hello, Ada!`/);
  });

  test('of the guide is code of the examples and of the scaffold', async () => {
    const code = await shownCode();
    const lines = linesOf('docs/guide.md', 'ts').map((line) => line.trim());
    expect(lines.length).toBeGreaterThan(50);
    expect(lines.filter((line) => !code.includes(line))).toEqual([]);
  });

  test('of examples/tracked-tasks.ts runs, to its end', async () => {
    const program = new Program('examples/run.ts', {}, ['tracked-tasks']);
    await expect(program.ended()).resolves.toBe(0);
    expect(program.output.trim().split('\n')).toEqual([
      'running 1 counted "a"',
      '5 words',
      'cancelled',
      'text-1 cancelled',
      '3 words',
      '3',
      '2026-11-24T02:00:00.000Z',
    ]);
  });
});
