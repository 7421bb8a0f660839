import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { LaneShares } from '../lane-shares.ts';
import { Slots } from '../slots.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const TASK_MS = 1000;
const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

/** Slots of one queue with three lanes, beside other queues of the weight 1. */
function slotsOf(total: number, others: readonly string[] = []): Slots {
  const weights = new Map(['reports', ...others].map((queue) => [queue, 1]));
  const lanes = new Map([
    ['reports', new Map(Object.entries({ reports_high: 8, reports: 3, reports_low: 1 }))],
  ]);
  return new Slots(total, weights, lanes);
}

/** Asks for slots for so many tasks, as a queue does that has them; resolves to how long each waited. */
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

/** Runs one task; resolves to how long it waited for its slot. */
async function runTask(slots: Slots, lane: string, ms = TASK_MS): Promise<number> {
  const askedAtMs = performance.now();
  await slots.take(lane);
  setTimeout(() => slots.taskEnded(lane, ms), ms);
  return performance.now() - askedAtMs;
}

const longest = (waits: readonly number[]): number => Math.max(...waits);

describe('a task in a lane that is idle', () => {
  test.each([1, 4, 10])(
    'waits for the next of %i slots alone, whatever waits in other lanes',
    async (total) => {
      const slots = slotsOf(total);
      backlog(slots, 'reports', 1000);
      backlog(slots, 'reports_low', 1000);
      await pass(2 * TASK_MS + 300);
      const waits: Promise<number>[] = [];
      // One in 5 s: of one slot, too, less than the 8 of 12 parts that are its lane's
      for (let task = 0; task < 50; task += 1) {
        waits.push(runTask(slots, 'reports_high'));
        await pass(5 * TASK_MS);
      }
      expect(longest(await Promise.all(waits))).toBeLessThanOrEqual(TASK_MS);
    },
  );

  test.each([1, 4, 12])('does so if others come with it, up to one for each of %i slots', async (total) => {
    const slots = slotsOf(total);
    backlog(slots, 'reports', 1000);
    backlog(slots, 'reports_low', 1000);
    await pass(10 * TASK_MS + 300);
    for (let burst = 0; burst < 20; burst += 1) {
      // Tasks of a slot end together here, so that each of them waits for one end
      const waits = Array.from({ length: total }, () => runTask(slots, 'reports_high'));
      await pass(10 * TASK_MS);
      expect(longest(await Promise.all(waits))).toBeLessThanOrEqual(TASK_MS);
    }
  });

  test('does so if the lighter lanes have used little before: they have no credit for that', async () => {
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

describe('a lane that comes back with a backlog', () => {
  test('is before lighter ones with a task for each slot, and not with all of it', async () => {
    const slots = slotsOf(4);
    const normal = backlog(slots, 'reports', 1000);
    await pass(60 * TASK_MS);
    const before = normal.ended;
    backlog(slots, 'reports_high', 1000);
    await pass(10.5 * TASK_MS);
    // Of 44 ends, those 4 that ran, and of what follows 4 high ones, 3 of 11
    expect(normal.ended - before).toBeGreaterThanOrEqual(10);
    expect(normal.ended - before).toBeLessThanOrEqual(15);
  });

  test('is not before heavier ones, though lighter ones wait, too', async () => {
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

describe('lanes that all have a backlog', () => {
  test.each([1, 3, 12])('share %i slots by weight, and none starves', async (total) => {
    const slots = slotsOf(total);
    const ran = ['reports_high', 'reports', 'reports_low'].map((lane) => backlog(slots, lane, Infinity));
    await pass(1200 * TASK_MS);
    const parts = ran.map(({ ended }) => (ended / (1200 * total)) * 12);
    for (const [index, weight] of [8, 3, 1].entries()) expect(parts[index]).toBeCloseTo(weight, 0);
  });

  test('a low one goes on beside a stream of high ones that would fill every slot', async () => {
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
    // 20 of 720
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

test('lanes of one weight are before none of each other', async () => {
  const lanes = new Map([['reports', new Map(Object.entries({ reports: 2, reports_other: 2 }))]]);
  const slots = new Slots(4, new Map([['reports', 1]]), lanes);
  backlog(slots, 'reports', 1000);
  await pass(10 * TASK_MS);
  const others = Array.from({ length: 4 }, () => runTask(slots, 'reports_other'));
  await pass(4 * TASK_MS);
  expect(longest(await Promise.all(others))).toBe(2 * TASK_MS);
});

test('a queue has its part of the slots however many of its lanes are busy', async () => {
  const slots = slotsOf(10, ['mails']);
  for (const lane of ['reports_high', 'reports', 'reports_low']) backlog(slots, lane, Infinity);
  const mails = backlog(slots, 'mails', Infinity);
  await pass(200 * TASK_MS);
  expect(mails.ended / 2000).toBeCloseTo(0.5, 1);
});

test('a slot that nobody wants any more goes to another lane', async () => {
  const slots = slotsOf(1);
  await slots.take('reports');
  const gone = new AbortController();
  const asked = [slots.take('reports_high', gone.signal), slots.take('reports_low')];
  gone.abort();
  slots.giveBack('reports');
  await expect(Promise.all(asked)).resolves.toEqual([false, true]);
});

test('shares of lanes know no other lanes', () => {
  const lanes = new LaneShares(new Map([['reports', 1]]), 1);
  expect(lanes.next(0)).toBeUndefined();
  expect(() => lanes.add('reports_high', () => false, 0)).toThrow(
    'Unknown lane reports_high: expected one of reports',
  );
});
