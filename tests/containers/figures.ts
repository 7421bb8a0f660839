import { appendFileSync, readFileSync } from 'node:fs';

/** What was measured for one success criterion. */
export interface Figure {
  /** The criterion, by its number in the requirements. */
  readonly criterion: string;
  readonly what: string;
  /** What it has to be, in words: `at least 9.5 times`. */
  readonly target: string;
  /** What was seen, with its unit. */
  readonly seen: string;
  readonly holds: boolean;
}

/** The variable that names the file which a run's figures are gathered in. */
export const FIGURES_FILE = 'FIGURES_FILE';

/** Notes a figure for the page that the run writes; a run of single tests, without such a file, notes none. */
export function note(figure: Figure): void {
  const file = process.env[FIGURES_FILE];
  if (file) appendFileSync(file, `${JSON.stringify(figure)}\n`);
}

/** The figures that a run has gathered, in the order of their criteria. */
export function figuresIn(file: string): Figure[] {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  const figures = lines.map((line) => JSON.parse(line) as Figure);
  return figures.toSorted((one, other) => one.criterion.localeCompare(other.criterion));
}
