import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Figure, FIGURES_FILE, figuresIn } from './figures.ts';

const JEST = [
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  'node_modules/jest/bin/jest.js',
  '--config',
  'tests/containers/jest.config.js',
];
const PAGE = 'docs/success-criteria.md';

/** Runs the tests of containers, and shows the figures that they took; `--write` makes a page of them. */
async function run(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { write: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  const folder = mkdtempSync(join(tmpdir(), 'baton-figures-'));
  const file = join(folder, 'figures');
  writeFileSync(file, '');
  try {
    const jest = spawn(process.execPath, [...JEST, ...positionals], {
      stdio: 'inherit',
      env: { ...process.env, [FIGURES_FILE]: file },
    });
    process.on('SIGINT', () => undefined);
    await once(jest, 'exit');
    const figures = figuresIn(file);
    if (figures.length > 0) process.stdout.write(`\n${tableOf(figures)}\n`);
    if (values.write && jest.exitCode === 0) writeFileSync(PAGE, pageOf(figures));
    return jest.exitCode ?? 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function tableOf(figures: readonly Figure[]): string {
  const rows = figures.map(({ criterion, what, target, seen, holds }) => [
    criterion,
    what,
    target,
    seen,
    holds ? 'yes' : 'no',
  ]);
  const head = ['criterion', 'what', 'target', 'seen', 'holds'];
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[], fill = ' '): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0, fill)).join(' | ')} |`;
  return [
    line(head),
    line(
      head.map(() => '-'),
      '-',
    ),
    ...rows.map((row) => line(row)),
  ].join('\n');
}

function pageOf(figures: readonly Figure[]): string {
  return `# Success criteria

What \`npm run test:containers -- --write\` measured, on ${cpus().length} cores, Node ${process.versions.node}. The numbers of the
criteria are those of the system that this one replaces; the targets are this project's, which are higher.

${tableOf(figures)}
`;
}

process.exitCode = await run();
