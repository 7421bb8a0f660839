import { expect, test } from '@jest/globals';
import { Program } from './support/program.ts';
import { textOf } from './support/source.ts';

const readme = textOf('README.md');
const example = ['examples/reports.ts', 'examples/tracked-tasks.ts', 'common/contracts/orders.ts']
  .map(textOf)
  .join('');

/** The lines of the README's blocks of a language. */
const linesOf = (language: string): string[] =>
  [...readme.matchAll(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``, 'g'))].flatMap(([, block = '']) =>
    block.trim().split('\n'),
  );

test("the README's lines of code are those of the example and of the demo, and the example says what the README says", async () => {
  const lines = linesOf('ts').map((line) => line.trim());
  expect(lines.length).toBeGreaterThan(15);
  expect(lines.filter((line) => !example.includes(line))).toEqual([]);
  const program = new Program('examples/tracked-tasks.ts', {});
  await expect(program.ended()).resolves.toBe(0);
  expect(program.output.trim().split('\n')).toEqual(linesOf('text'));
});
