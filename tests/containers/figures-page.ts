import { cpus } from 'node:os';
import type { Figure } from './figures.ts';

const HEAD = ['criterion', 'what', 'target', 'seen', 'holds'];

/** Figures as a table of Markdown, which reads well on a terminal, too. */
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
 * The page of a run's figures.
 *
 * @param imagesNode - the version of Node that the images have
 */
export function pageOf(figures: readonly Figure[], imagesNode: string): string {
  return `# Success criteria

For operators who want to know what containers take: what \`npm run test:containers -- --write\` measured, on ${cpus().length} cores, in images
with Node ${imagesNode}. Each criterion is a numbered requirement of this project. A test takes each figure, and fails if the target is
missed.

${tableOf(figures)}

\`tests/rules.test.ts\` holds SC-009: all imports resolve by the standard. Its rules of the compose file hold the second half
of SC-008: one of its services while all others are stopped. It also builds and starts the images of gateway and resources,
which only the compose file needs. The tasks of SC-006 sleep for 2 s on average.
`;
}
