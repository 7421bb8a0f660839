import { cpus } from 'node:os';
import type { Figure } from './figures.ts';

const HEAD = ['criterion', 'figure', 'target', 'measured', 'holds'];

/** Figures as a Markdown table, which is also readable on a terminal. */
export function tableOf(figures: readonly Figure[]): string {
  const rows = figures.map(({ criterion, what, target, seen, holds }) => [
    criterion,
    what,
    target,
    seen,
    holds ? 'yes' : 'no',
  ]);
  const widths = HEAD.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[], fill = ' '): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0, fill)).join(' | ')} |`;
  const rule = HEAD.map(() => '-');
  return [line(HEAD), line(rule, '-'), ...rows.map((row) => line(row))].join('\n');
}

/**
 * The page with a run's figures.
 *
 * @param imagesNode - the version of Node in the images
 */
export function pageOf(figures: readonly Figure[], imagesNode: string): string {
  return `# Success criteria

For operators who want to know the cost of the containers: the figures of \`npm run test:containers -- --write\`, on
${cpus().length} cores, in images with Node ${imagesNode}. Each criterion is a numbered requirement of this project.
A test measures each figure, and fails if it misses the target.

${tableOf(figures)}

\`tests/rules.test.ts\` checks SC-009: all imports follow the standard's resolution. The tests of the compose file check
the second half of SC-008: one of its services runs while all others are stopped. They also build and start the images
of gateway and resources, which only the compose file uses. The tasks of SC-006 sleep for 2 s on average.
`;
}
