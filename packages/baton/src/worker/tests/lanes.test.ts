import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { LaneShares } from '../lane-shares.ts';
import { Slots } from '../slots.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const TASK_MS = 1000;
const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

/** The slots of a worker that serves one queue with three lanes, and other queues with the weight 1. */
function slotsOf(total: number, others: readonly string[] = []): Slots {
  const weights = new Map(['reports', ...others].map((queue) => [queue, 1]));
  const lanes = new Map([
    ['reports', new Map(Object.entries({ reports_high: 8, reports: 3, reports_low: 1 }))],
  ]);
  return new Slots(total, weights, lanes);
}

/** Runs this many tasks of a lane, each once it has a slot. Returns how many have ended. */
function backlog(slots: Slots, lane: string, tasks: number, ms = TASK_MS): { ended: number } {
  const ran = { ended: 0 };
  let left = tasks;
  const runOne = async (): Promise<void> => {
    if (left === 0) return;
    left -= 1;
    await slots.take(lane);
    setTimeout(() => {
      ran.ended += 1;
      void runOne();
      slots.taskEnded(lane, ms);
    }, ms);
  };
  for (let slot = 0; slot < slots.total; slot += 1) void runOne();
  return ran;
}

/** Runs one task. Resolves to how long it waited for its slot, in milliseconds. */
async function runTask(slots: Slots, lane: string, ms = TASK_MS): Promise<number> {
  const askedAtMs = performance.now();
  await slots.take(lane);
  setTimeout(() => slots.taskEnded(lane, ms), ms);
  return performance.now() - askedAtMs;
}

const longest = (waits: readonly number[]): number => Math.max(...waits);

describe('a task in an idle lane', () => {
  test.each([1, 4, 10])(
    'waits only for the next of %i slots, whatever waits in other lanes',
    async (total) => {
      const slots = slotsOf(total);
      backlog(slots, 'reports', 1000);
      backlog(slots, 'reports_low', 1000);
      await pass(2 * TASK_MS + 300);
      const waits: Promise<number>[] = [];
      // One task in 5 s is less than the 8 of 12 parts of its lane, even with one slot
      for (let task = 0; task < 50; task += 1) {
        waits.push(runTask(slots, 'reports_high'));
        await pass(5 * TASK_MS);
      }
      expect(longest(await Promise.all(waits))).toBeLessThanOrEqual(TASK_MS);
    },
  );

  test.each([1, 4, 12])(
    'waits only for the next slot if up to one task for each of %i slots comes at once',
    async (total) => {
      const slots = slotsOf(total);
      backlog(slots, 'reports', 1000);
      backlog(slots, 'reports_low', 1000);
      await pass(10 * TASK_MS + 300);
      for (let burst = 0; burst < 20; burst += 1) {
        // All running tasks end at the same time here, so each new task waits for one end
        const waits = Array.from({ length: total }, () => runTask(slots, 'reports_high'));
        await pass(10 * TASK_MS);
        expect(longest(await Promise.all(waits))).toBeLessThanOrEqual(TASK_MS);
      }
    },
  );

  test('waits only for the next slot if the lighter lanes have used few slots before', async () => {
    const slots = slotsOf(4);
    for (let second = 0; second < 600; second += 1) {
      void runTask(slots, 'reports_low', 2 * TASK_MS);
      void runTask(slots, 'reports_high');
      await pass(TASK_MS);
    }
    backlog(slots, 'reports_low', 1000);
    backlog(slots, 'reports', 1000);
    await pass(3 * TASK_MS);
    const waits: Promise<number>[] = [];
    for (let second = 0; second < 60; second += 1) {
      waits.push(runTask(slots, 'reports_high'));
      await pass(TASK_MS);
    }
    expect(longest(await Promise.all(waits))).toBeLessThanOrEqual(TASK_MS);
  });
});

describe('an idle lane that gets a backlog', () => {
  test('gets one task per slot before lighter lanes, but not its whole backlog', async () => {
    const slots = slotsOf(4);
    const normal = backlog(slots, 'reports', 1000);
    await pass(60 * TASK_MS);
    const before = normal.ended;
    backlog(slots, 'reports_high', 1000);
    await pass(10.5 * TASK_MS);
    // Of 44 ended tasks, 4 ran before, the next 4 are high, and then 3 of 11 are normal
    expect(normal.ended - before).toBeGreaterThanOrEqual(10);
    expect(normal.ended - before).toBeLessThanOrEqual(15);
  });

  test('does not go before heavier lanes, even if lighter lanes wait too', async () => {
    const slots = slotsOf(12);
    const high = backlog(slots, 'reports_high', Infinity);
    backlog(slots, 'reports_low', Infinity);
    await pass(60.5 * TASK_MS);
    const normal = backlog(slots, 'reports', 1000);
    await pass(TASK_MS);
    const before = high.ended;
    await pass(TASK_MS);
    expect(high.ended - before).toBeGreaterThanOrEqual(7);
    expect(normal.ended).toBeGreaterThanOrEqual(2);
  });
});

describe('lanes with backlogs', () => {
  test.each([1, 3, 12])('share %i slots by weight, and no lane starves', async (total) => {
    const slots = slotsOf(total);
    const ran = ['reports_high', 'reports', 'reports_low'].map((lane) => backlog(slots, lane, Infinity));
    await pass(1200 * TASK_MS);
    const parts = ran.map(({ ended }) => (ended / (1200 * total)) * 12);
    for (const [index, weight] of [8, 3, 1].entries()) expect(parts[index]).toBeCloseTo(weight, 0);
  });

  test('include a low lane that still runs beside high tasks which could fill all slots', async () => {
    const slots = slotsOf(4);
    const high = backlog(slots, 'reports_high', Infinity);
    await pass(600 * TASK_MS);
    const before = high.ended;
    const waits: Promise<number>[] = [];
    for (let task = 0; task < 20; task += 1) {
      waits.push(runTask(slots, 'reports_low'));
      await pass(9 * TASK_MS);
    }
    expect(longest(await Promise.all(waits))).toBeLessThanOrEqual(TASK_MS);
    // The low lane had 20 of 720
    expect(high.ended - before).toBeGreaterThanOrEqual(690);
  });

  test('share by the time that their tasks take, not by their number', async () => {
    const slots = slotsOf(6);
    const high = backlog(slots, 'reports_high', Infinity, 100);
    const low = backlog(slots, 'reports_low', Infinity, 4000);
    await pass(600_000);
    expect((high.ended * 100) / (low.ended * 4000) / 8).toBeGreaterThan(0.85);
    expect((high.ended * 100) / (low.ended * 4000) / 8).toBeLessThan(1.15);
  });
});

test('lanes of the same weight do not go before each other', async () => {
  const lanes = new Map([['reports', new Map(Object.entries({ reports: 2, reports_other: 2 }))]]);
  const slots = new Slots(4, new Map([['reports', 1]]), lanes);
  backlog(slots, 'reports', 1000);
  await pass(10 * TASK_MS);
  const others = Array.from({ length: 4 }, () => runTask(slots, 'reports_other'));
  await pass(4 * TASK_MS);
  expect(longest(await Promise.all(others))).toBe(2 * TASK_MS);
});

test('a queue gets its part of the slots, however many of its lanes are busy', async () => {
  const slots = slotsOf(10, ['mails']);
  for (const lane of ['reports_high', 'reports', 'reports_low']) backlog(slots, lane, Infinity);
  const mails = backlog(slots, 'mails', Infinity);
  await pass(200 * TASK_MS);
  expect(mails.ended / 2000).toBeCloseTo(0.5, 1);
});

test('a slot goes to another lane if the wait for it was aborted', async () => {
  const slots = slotsOf(1);
  await slots.take('reports');
  const gone = new AbortController();
  const asked = [slots.take('reports_high', gone.signal), slots.take('reports_low')];
  gone.abort();
  slots.giveBack('reports');
  await expect(Promise.all(asked)).resolves.toEqual([false, true]);
});

test('an unknown lane is refused', () => {
  const lanes = new LaneShares(new Map([['reports', 1]]), 1);
  expect(lanes.next(0)).toBeUndefined();
  expect(() => lanes.add('reports_high', () => false, 0)).toThrow(
    'Unknown lane reports_high: expected one of reports',
  );
});
