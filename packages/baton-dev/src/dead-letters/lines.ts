// Dead letters as lines of output.
import Table from 'cli-table3';
import type { PutBack } from './dead-letter-queue.ts';
import type { Facts } from './letter.ts';
import { printable } from '../terminal/printable.ts';

/** A letter and, if it was put back, the result. */
export type Line = { readonly letter: Facts } & Partial<Pick<PutBack, 'became' | 'why'>>;

const ERROR_CHARACTERS = 60;
const BECAME = { back: 'put back', kept: 'kept', twice: 'put back, and kept' } as const;

/** Writes a letter as a JSON object in one line. */
export function jsonOf({ letter, became, why }: Line): string {
  const { messageId, queue, reason, error, task, taskId, attempts, deadAt } = letter;
  return printable(
    JSON.stringify({ messageId, queue, task, taskId, reason, error, attempts, deadAt, became, why }),
  );
}

/** Writes letters as a table. */
export function tableOf(lines: readonly Line[], nowMs: number): string {
  const isPutBack = lines.some(({ became }) => became);
  const table = new Table({
    head: ['task', 'task id', 'reason', 'error', 'attempts', 'age', ...(isPutBack ? ['became'] : [])],
    style: { head: [], border: [] },
    colAligns: ['left', 'left', 'left', 'left', 'right', 'right', 'left'],
    // No lines between rows: there may be many
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  });
  for (const { letter, became } of lines) {
    const { task = '-', taskId = '-', reason, error = '-', attempts, deadAt } = letter;
    const age = ageText(nowMs - Date.parse(deadAt));
    const row = [...[task, taskId, reason, shortened(error)].map(printable), attempts ?? '-', age];
    table.push(became ? [...row, BECAME[became]] : row);
  }
  return table.toString();
}

function shortened(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length <= ERROR_CHARACTERS ? line : `${line.slice(0, ERROR_CHARACTERS - 1)}…`;
}

/** Writes an age with at most two units: 3 d 4 h, 12 min, 8 s. */
function ageText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [days, hours, minutes] = [86_400, 3600, 60].map((unit) => Math.floor(seconds / unit));
  if (days) return `${days} d ${(hours ?? 0) % 24} h`;
  if (hours) return `${hours} h ${(minutes ?? 0) % 60} min`;
  return minutes ? `${minutes} min` : `${seconds} s`;
}
