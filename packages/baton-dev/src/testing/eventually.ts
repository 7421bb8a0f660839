// Waits for a condition, for tests.
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 20;

/** Calls `look` until it returns a truthy value, and resolves to that. @throws Error that says what did not happen in time */
export async function eventually<Seen>(
  what: string,
  look: () => Promise<Seen | undefined | false> | Seen | undefined | false,
  withinMs = 10_000,
): Promise<Seen> {
  const deadlineMs = performance.now() + withinMs;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    if (performance.now() > deadlineMs) throw new Error(`Not within ${withinMs} ms: ${what}`);
    await sleep(POLL_MS);
  }
}
