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

What \`npm run test:containers -- --write\` measured, on ${cpus().length} cores, in images with Node ${imagesNode}. The criteria have
their numbers from the system that this one replaces; the targets are this project's own, which are higher. Each figure
is taken by a test that fails where the target is missed.

${tableOf(figures)}

SC-009, all imports resolve by the standard, and the rest of the rules are held by \`tests/house-rules.test.ts\`; SC-008's
second half, one service of the compose file with all others stopped, by \`tests/containers/compose.test.ts\`. The images
of gateway and resources, which only the compose file needs, are built and started in that test. SC-006's tasks sleep for 2 s on the average.
`;
}
