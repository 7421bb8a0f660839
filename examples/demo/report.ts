import { styleText } from 'node:util';
import Table from 'cli-table3';
import type { FollowedOrder } from './follow-orders.ts';

const MAX_PROBLEMS = 5;

/** Prints how the orders ended. Returns how many are missing: their customers were not notified. */
export function printReport(followed: readonly FollowedOrder[]): number {
  const count = (step: 'accepted' | 'completed' | 'notified'): string =>
    `${followed.filter((order) => order[step]).length} of ${followed.length}`;
  const tookMs = followed.flatMap((order) => order.tookMs ?? []).toSorted((a, b) => a - b);
  const rows = [
    ['accepted', count('accepted')],
    ['completed', count('completed')],
    ['notified', count('notified')],
    ['by', waysOf(followed)],
    ['post to notified, p50', inMs(percentile(tookMs, 0.5))],
    ['post to notified, p95', inMs(percentile(tookMs, 0.95))],
  ];
  process.stdout.write(`\n${table(rows)}\n`);
  const problems = followed.flatMap(({ problem }) => problem ?? []);
  for (const problem of problems.slice(0, MAX_PROBLEMS)) say('red', problem);
  if (problems.length > MAX_PROBLEMS) say('red', `and ${problems.length - MAX_PROBLEMS} more`);
  const missing = followed.filter(({ notified }) => !notified).length;
  say(
    missing === 0 ? 'green' : 'red',
    missing === 0 ? 'Every customer is notified.' : `${missing} of ${followed.length} are missing.`,
  );
  return missing;
}

/** Formats rows as a table, without lines if the output is piped. */
export function table(rows: readonly string[][]): string {
  const drawn = new Table({
    style: { head: [], border: [] },
    ...(process.stdout.isTTY ? {} : { chars: PLAIN }),
  });
  drawn.push(...rows);
  return drawn.toString();
}

/** Prints a line in a colour, if the terminal has colours. */
export function say(colour: 'green' | 'red', text: string): void {
  process.stdout.write(`${styleText(colour, text, { stream: process.stdout })}\n`);
}

/** Counts the notified customers by channel. */
function waysOf(followed: readonly FollowedOrder[]): string {
  const ways = followed.flatMap(({ deliveredBy }) => deliveredBy ?? []);
  return [...new Set(ways)].map((way) => `${way} ${ways.filter((each) => each === way).length}`).join(', ');
}

const SIDES = ['top', 'bottom', 'left', 'right', 'mid', 'middle'];
const PLAIN = Object.fromEntries(
  SIDES.flatMap((side) => [side, `${side}-mid`, `${side}-left`, `${side}-right`, `mid-${side}`]).map(
    (name) => [name, ''],
  ),
);

function percentile(sorted: readonly number[], share: number): number | undefined {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

function inMs(value: number | undefined): string {
  return value === undefined ? '-' : `${value} ms`;
}
