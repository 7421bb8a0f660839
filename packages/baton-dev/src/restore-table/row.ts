// A row of a table, in DynamoDB's own form: nothing changes when it is copied.
import { isDeepStrictEqual } from 'node:util';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';

/** A row. */
export type Row = Readonly<Record<string, AttributeValue>>;

/** The key of a row, of one or two attributes. */
export function keyOf(row: Row, names: readonly string[]): Record<string, AttributeValue> {
  return Object.fromEntries(names.map((name) => [name, row[name] as AttributeValue]));
}

/** A text that only rows with the same key have. */
export function keyText(row: Row, names: readonly string[]): string {
  return JSON.stringify(names.map((name) => row[name]));
}

/** Whether two rows say the same. The members of a set have no order. */
export function isSameRow(one: Row, other: Row): boolean {
  return isDeepStrictEqual(ordered(one), ordered(other));
}

/** The value with its sets in order, inside lists and maps too. */
function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      ['SS', 'NS', 'BS'].includes(name) && Array.isArray(inner) ? inner.toSorted(byText) : ordered(inner),
    ]),
  );
}

function byText(one: unknown, other: unknown): number {
  return String(one) < String(other) ? -1 : 1;
}

/** Whether the time to live of a row is over. A rule says that every table has it in `expiresAt`. */
export function isOver({ expiresAt }: Row, nowMs: number): boolean {
  return expiresAt?.N !== undefined && Number(expiresAt.N) * 1000 <= nowMs;
}
