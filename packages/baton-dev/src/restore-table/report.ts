// What the command says.
import type { Options } from './options.ts';
import type { RowCounts } from './row-copy.ts';

/** Says what a comparison found, and what would follow. */
export function found(counts: RowCounts, { overwrite }: Pick<Options, 'overwrite'>): string {
  const { missing, differing, deleted, same, over } = counts;
  const lines = [
    [missing, 'missing in the table', 'would be written'],
    [differing, 'differ', overwrite ? 'would get the state of that time' : 'stay as they are'],
    [deleted, 'deleted since by a caller', 'stay deleted'],
    [over, 'whose time to live is over', 'stay out'],
    [same, 'the same', ''],
  ] as const;
  return lines
    .filter(([count]) => count > 0)
    .map(([count, what, then]) => `  ${String(count).padStart(9)}  ${what}${then && `: ${then}`}`)
    .join('\n');
}

/** A number of rows, in words. */
export function rowsOf(count: number): string {
  return `${count} row${count === 1 ? '' : 's'}`;
}

/** How many rows would be written. */
export function toWrite(
  { missing, differing }: RowCounts,
  { overwrite }: Pick<Options, 'overwrite'>,
): number {
  return missing + (overwrite ? differing : 0);
}

/** Says what was written, and what to do next. @param stopped - whether rows may be left */
export function written(
  { written: rows, overtaken }: RowCounts,
  { table, copy, stopped }: { readonly table: string; readonly copy: string; readonly stopped: boolean },
): string {
  const left = overtaken > 0 ? `; ${rowsOf(overtaken)} changed meanwhile, and stayed as they were` : '';
  const next = stopped
    ? 'Stopped: the same command continues.'
    : `Look whether all is well. Then delete the copy, which nothing deletes by itself:
  aws dynamodb delete-table --table-name ${copy}`;
  return `${rowsOf(rows)} written to ${table}${left}.\n${next}`;
}

/** What an operator of the task store should know first. */
export const ABOUT_TASKS =
  'These are tasks: read docs/restore.md#the-task-store before you write, because a restored task may wait for a message that is gone.';
