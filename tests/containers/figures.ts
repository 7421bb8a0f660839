import { appendFileSync, readFileSync } from 'node:fs';

/** A measured figure of a success criterion. */
export interface Figure {
  /** The criterion's number in the requirements. */
  readonly criterion: string;
  readonly what: string;
  /** The target in words: `at least 9.5 times`. */
  readonly target: string;
  /** The measured value, with its unit. */
  readonly seen: string;
  readonly holds: boolean;
}

/** The environment variable with the path of the file that collects a run's figures. */
export const FIGURES_FILE = 'FIGURES_FILE';

/** Records a figure for the page. Does nothing without the file, as in a run of single tests. */
export function note(figure: Figure): void {
  const file = process.env[FIGURES_FILE];
  if (file) appendFileSync(file, `${JSON.stringify(figure)}\n`);
}

/** The figures of a run, sorted by criterion. */
export function figuresIn(file: string): Figure[] {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  const figures = lines.map((line) => JSON.parse(line) as Figure);
  return figures.toSorted((one, other) => one.criterion.localeCompare(other.criterion));
}
