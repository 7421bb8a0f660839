import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { payloadHashOf } from '../../send/prepared-task.ts';
import type { Outcome } from '../../task/outcome.ts';
import { isClaim } from '../../run/task-tracker.ts';
import { StoreTracker } from '../store-tracker.ts';
import { TaskStore } from '../task-store.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { type Backends, startBackends } from '../../../tests/support/backends.ts';
import { work } from './tracked-work.ts';
import { receivedMessage, testEnvelope } from '../../../tests/support/messages.ts';

const LEASE_SECONDS = 30;
const LEASE_MS = LEASE_SECONDS * 1000;
const HALF_A_DAY_MS = 43_200_000;

let backends: Backends;
let nowMs: number;
let taskId: string;
beforeAll(async () => {
  backends = await startBackends([]);
});
afterAll(() => backends.stop());
beforeEach(() => {
  nowMs = Date.parse('2026-11-25T03:00:00Z');
  taskId = randomUUID();
});

/** The task store of a worker whose clock is ahead, and which does not notice it. */
const storeAhead = (aheadMs: number): TaskStore =>
  new TaskStore({
    documents: backends.documents,
    table: backends.tasksTable,
    now: () => nowMs + aheadMs,
  });

const claimBy = (owner: string, leaseSeconds = LEASE_SECONDS) => ({
  taskId,
  task: work.name,
  queue: work.queue,
  claimId: randomUUID(),
  owner,
  payloadHash: payloadHashOf({}),
  leaseSeconds,
});

const claim = (owner: string, aheadMs = 0) => storeAhead(aheadMs).attempts.claim(claimBy(owner));

/** The outcome of the task's message in a worker. */
async function outcomeAt(owner: string): Promise<Outcome | 'claimed'> {
  const logger = createLogger({ service: 'tests', level: 'silent' });
  const [store, leaseSeconds] = [storeAhead(0), LEASE_SECONDS];
  const tracker = new StoreTracker({ store, forward: async () => undefined, leaseSeconds, logger });
  const { signal } = new AbortController();
  const envelope = testEnvelope({ taskId, task: work.name, time: new Date(nowMs).toISOString() });
  const message = receivedMessage({ sentAtMs: nowMs, firstReceivedAtMs: nowMs });
  const claimed = await tracker.claim({
    message,
    envelope,
    contract: work,
    queue: work.queue,
    owner,
    signal,
    graceSeconds: 1,
  });
  if (!isClaim(claimed)) return claimed;
  await claimed.conclude({ kind: 'release', error: new Error('enough') });
  return 'claimed';
}

test('a claim that lasts half a day too long is taken over after one lease without renewal', async () => {
  await claim('wrong', HALF_A_DAY_MS);
  await expect(claim('right')).resolves.toMatchObject({ owner: 'wrong', token: 1 });
  nowMs += LEASE_MS - 1000;
  await expect(claim('right')).resolves.toMatchObject({ owner: 'wrong', token: 1 });
  nowMs += 2000;
  const row = await claim('another right one');
  expect(row).toMatchObject({ owner: 'another right one', token: 2, crashes: 1 });
  expect([row?.doubtedUntilMs, row?.doubtedAtMs]).toEqual([undefined, undefined]);
});

test('the message of such a claim rests for at most one lease, and then its task runs', async () => {
  await claim('wrong', HALF_A_DAY_MS);
  await expect(outcomeAt('right')).resolves.toMatchObject({ kind: 'release', delaySeconds: LEASE_SECONDS });
  nowMs += LEASE_MS + 1;
  await expect(outcomeAt('right')).resolves.toBe('claimed');
});

test('a claim that is renewed stays with its worker, however wrong the clock of the worker', async () => {
  const wrong = storeAhead(HALF_A_DAY_MS);
  const { claimId = '', token = 0 } = (await wrong.attempts.claim(claimBy('wrong'))) ?? {};
  for (let renewal = 1; renewal <= 20; renewal += 1) {
    await expect(claim('right')).resolves.toMatchObject({ owner: 'wrong', token: 1 });
    nowMs += LEASE_MS / 3;
    await expect(wrong.attempts.renew({ taskId, claimId, token }, LEASE_SECONDS)).resolves.toBe(true);
  }
  nowMs += LEASE_MS + 1;
  await claim('right');
  nowMs += LEASE_MS + 1;
  await expect(claim('right')).resolves.toMatchObject({ owner: 'right', token: 2 });
});

test('a claim with a long lease is not taken over, only checked again', async () => {
  await storeAhead(0).attempts.claim(claimBy('patient', 3600));
  for (let look = 1; look <= 3; look += 1) {
    await expect(outcomeAt('right')).resolves.toMatchObject({ kind: 'release', delaySeconds: LEASE_SECONDS });
    nowMs += 2 * LEASE_MS;
  }
  const row = await storeAhead(0).read(taskId);
  expect([row?.owner, row?.doubtedUntilMs]).toEqual(['patient', undefined]);
});

test('a doubt that a wrong clock wrote does not delay the takeover', async () => {
  await claim('wrong', 2 * HALF_A_DAY_MS);
  await claim('wrong, too', HALF_A_DAY_MS);
  await claim('right');
  nowMs += LEASE_MS + 1;
  await expect(claim('right')).resolves.toMatchObject({ owner: 'right', token: 2 });
});

test('only one of several workers that doubt a claim takes it over', async () => {
  await claim('wrong', HALF_A_DAY_MS);
  await Promise.all(['a', 'b', 'c'].map((owner) => claim(owner)));
  nowMs += LEASE_MS + 1;
  const rows = await Promise.all(['a', 'b', 'c'].map((owner) => claim(owner)));
  expect(new Set(rows.map((row) => row?.owner)).size).toBe(1);
  expect(rows.map((row) => row?.token)).toEqual([2, 2, 2]);
});
