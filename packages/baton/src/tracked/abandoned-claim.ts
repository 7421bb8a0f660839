import { MAX_SKEW_MS } from '../time/clock-watch.ts';
import type { TaskRow } from './task-row.ts';
import type { TaskTable } from './task-table.ts';

/** The claim of a running task as it was read (`:known`, `:seen`): neither renewed nor taken over since. */
export const SAME_CLAIM = '#token = :known AND leaseUntilMs = :seen';

/**
 * Whether the claim of a running task is over. Notes a lease that ends too far ahead to be true.
 *
 * @param ownSeconds - how long a claim lasts whose row does not say so
 */
export async function isAbandoned(table: TaskTable, row: TaskRow, ownSeconds: number): Promise<boolean> {
  const { taskId, token, leaseUntilMs = 0, leaseSeconds = ownSeconds, doubtedUntilMs, doubtedAtMs = 0 } = row;
  const { nowMs } = table;
  const lengthMs = leaseSeconds * 1000;
  if (leaseUntilMs < nowMs) return true;
  if (leaseUntilMs <= nowMs + lengthMs + MAX_SKEW_MS) return false;
  // A wrong clock wrote that. If its worker lives, it renews the claim, and so changes it, within a lease
  if (doubtedUntilMs === leaseUntilMs && doubtedAtMs <= nowMs) return doubtedAtMs + lengthMs < nowMs;
  const doubt = 'SET doubtedUntilMs = :seen, doubtedAtMs = :nowMs';
  await table.update(taskId, `#state = :running AND ${SAME_CLAIM}`, doubt, {
    ':running': 'running',
    ':known': token,
    ':seen': leaseUntilMs,
    ':nowMs': nowMs,
  });
  return false;
}
