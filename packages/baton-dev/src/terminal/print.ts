// Prints what the tools say.
import process from 'node:process';
import { printableLines } from './printable.ts';

/** Prints a text to standard output. A terminal obeys no character in it. */
export function print(text: string): void {
  process.stdout.write(printableLines(text));
}

/** Prints a text to standard error. A terminal obeys no character in it. */
export function printError(text: string): void {
  process.stderr.write(printableLines(text));
}
