import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Slots } from '../slots.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const LONG_MS = 8000;
const SHORT_MS = 5;

/** Runs tasks that last so long one after the other, in as many slots as the queue is given, until `endMs`. */
function saturate(slots: Slots, queue: string, ms: number, endMs = Infinity): { ended: number } {
  const ran = { ended: 0 };
  const runOne = async (): Promise<void> => {
    if (performance.now() >= endMs) return;
    await slots.take(queue);
    setTimeout(() => {
      ran.ended += 1;
      void runOne();
      slots.taskEnded(queue, ms);
    }, ms);
  };
  for (let slot = 0; slot < slots.total; slot += 1) void runOne();
  return ran;
}

/** Runs one task; resolves to how long it waited for its slot. */
async function runTask(slots: Slots, queue: string, ms: number): Promise<number> {
  const askedAtMs = performance.now();
  await slots.take(queue);
  setTimeout(() => slots.taskEnded(queue, ms), ms);
  return performance.now() - askedAtMs;
}

const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

describe('slots', () => {
  test('of one queue are given in the order of asking', async () => {
    const slots = new Slots(1);
    const order: string[] = [];
    await slots.take('a');
    const asked = ['first', 'second', 'third'].map((name) => slots.take('a').then(() => order.push(name)));
    for (const each of asked) {
      slots.giveBack('a');
      await each;
    }
    expect(order).toEqual(['first', 'second', 'third']);
    expect(slots.free).toBe(0);
  });

  test('are never more than there are, whoever asks when', async () => {
    const slots = new Slots(3);
    let running = 0;
    let most = 0;
    const task = async (_: unknown, index: number): Promise<void> => {
      const queue = `queue-${index % 4}`;
      await slots.take(queue);
      running += 1;
      most = Math.max(most, running);
      await Promise.resolve();
      running -= 1;
      slots.taskEnded(queue, index);
    };
    await Promise.all(Array.from({ length: 50 }, task));
    expect(most).toBe(3);
    expect(slots.free).toBe(3);
  });

  test('that are free may be taken several at a time, but not more than there are', () => {
    const slots = new Slots(5);
    expect([slots.takeFree('a', 3), slots.takeFree('b', 10), slots.takeFree('a', 1)]).toEqual([3, 2, 0]);
    slots.giveBack('a', 3);
    slots.giveBack('b', 2);
    expect(slots.free).toBe(5);
  });

  test('are not given to those who no longer want one', async () => {
    const slots = new Slots(1);
    await slots.take('a');
    const gone = new AbortController();
    const asked = [slots.take('a', gone.signal), slots.take('a')];
    gone.abort();
    slots.giveBack('a');
    await expect(Promise.all(asked)).resolves.toEqual([false, true]);
    await expect(slots.take('a', gone.signal)).resolves.toBe(false);
  });
});

describe('slots that are too few are shared by time:', () => {
  test.each([1, 2, 10])('tasks of 5 ms get the next of %i slots, beside tasks of 8 s', async (total) => {
    const slots = new Slots(total);
    saturate(slots, 'long', LONG_MS);
    await pass(3000);
    const waits = Array.from({ length: 40 }, () => runTask(slots, 'short', SHORT_MS));
    await pass(3 * LONG_MS);
    const waitedMs = (await Promise.all(waits)).toSorted((one, other) => one - other);
    // The first slot comes when a long task ends; the others have that one, each after the other
    expect(waitedMs[0]).toBe(LONG_MS - 3000);
    expect(waitedMs[39]).toBeLessThanOrEqual(LONG_MS - 3000 + 40 * SHORT_MS);
  });

  test.each([
    [1, 1],
    [3, 1],
    [100, 1],
  ])('weights of %i and %i get time as 1 to 1, however long the tasks of each take', async (heavy, light) => {
    const slots = new Slots(4, new Map(Object.entries({ heavy, light })));
    const [long, short] = [saturate(slots, 'heavy', 400), saturate(slots, 'light', 20)];
    await pass(400_000);
    const ratio = (long.ended * 400) / (short.ended * 20);
    expect(ratio / (heavy / light)).toBeGreaterThan(0.9);
    expect(ratio / (heavy / light)).toBeLessThan(1.1);
    expect(short.ended).toBeGreaterThan(0);
  });

  test('slots that come free at one moment do not all go to one queue', async () => {
    const slots = new Slots(10);
    const [one, other] = [saturate(slots, 'one', 1000), saturate(slots, 'other', 1000)];
    // Ten tasks end at once, and ten begin, each second
    await pass(20_500);
    const before = one.ended;
    await pass(1000);
    expect(one.ended - before).toBe(5);
    expect(one.ended + other.ended).toBe(210);
  });

  test('a queue that comes back from a pause has no credit for it', async () => {
    const slots = new Slots(2);
    saturate(slots, 'back', 100, 1);
    const busy = saturate(slots, 'busy', 100);
    await pass(600_000);
    const before = busy.ended;
    saturate(slots, 'back', 100);
    await pass(10_000);
    expect(busy.ended - before).toBeGreaterThan(80);
    expect(busy.ended - before).toBeLessThan(120);
  });

  test('a queue that has long asked for little can catch up on a minute of all slots, not on more', async () => {
    const slots = new Slots(4);
    const busy = saturate(slots, 'busy', 1000);
    for (let second = 0; second < 3600; second += 1) {
      void runTask(slots, 'little', 1000);
      await pass(1000);
    }
    const before = busy.ended;
    saturate(slots, 'little', 1000);
    await pass(90_000);
    expect(busy.ended - before).toBeGreaterThan(40);
  });
});

describe('while slow tasks hold the slots, the last one is kept', () => {
  /** Slots whose `long` queue is known to be slow, and whose `short` queue had a task a second ago. */
  async function known(
    total: number,
    weights: Record<string, number> = {},
    longMs = LONG_MS,
  ): Promise<Slots> {
    const slots = new Slots(total, new Map(Object.entries(weights)));
    void runTask(slots, 'long', longMs);
    await pass(longMs);
    void runTask(slots, 'short', SHORT_MS);
    await pass(1000);
    return slots;
  }

  test('for a queue that had a task within the last minute: its next one does not wait', async () => {
    const slots = await known(10);
    saturate(slots, 'long', LONG_MS);
    expect([slots.free, slots.freeFor('long'), slots.freeFor('short')]).toEqual([1, 0, 1]);
    await pass(30_000);
    await expect(runTask(slots, 'short', SHORT_MS)).resolves.toBe(0);
    // And not a second one
    const second = runTask(slots, 'short', SHORT_MS);
    await pass(SHORT_MS);
    await expect(second).resolves.toBe(SHORT_MS);
  });

  test('for no longer than that: then those who wait have it, though nothing else happens', async () => {
    const slots = await known(10);
    saturate(slots, 'long', 600_000);
    await pass(50_000);
    void runTask(slots, 'short', SHORT_MS);
    await pass(59_000);
    expect(slots.free).toBe(1);
    await pass(2000);
    expect(slots.free).toBe(0);
  });

  test.each<[string, number, Record<string, number>, number]>([
    ['by a worker with fewer than eight', 7, {}, LONG_MS],
    ['where slots come back quickly', 10, {}, 2000],
    ['for a queue whose weight entitles it to less than one', 10, { long: 10 }, LONG_MS],
  ])('but not %s', async (_what, total, weights, longMs) => {
    const slots = await known(total, weights, longMs);
    saturate(slots, 'long', longMs);
    await pass(longMs + 1);
    expect(slots.free).toBe(0);
  });

  test('but not for a queue that was never busy: one queue alone has all slots', async () => {
    const slots = new Slots(10, new Map(Object.entries({ long: 1, never: 1 })));
    saturate(slots, 'long', LONG_MS);
    expect(slots.free).toBe(0);
  });
});

describe('a slot that is wanted soon', () => {
  /** Slots that are all held by tasks which last so long, of a queue whose tasks are known to last so long. */
  async function heldFor(ms: number): Promise<Slots> {
    const slots = new Slots(1);
    void runTask(slots, 'busy', ms);
    await pass(ms);
    void runTask(slots, 'busy', ms);
    return slots;
  }

  test('is taken when one is free, or comes within a second', async () => {
    const slots = await heldFor(900);
    const wanted = slots.takeSoon('other');
    await pass(900);
    const slot = await wanted;
    expect(slots.free).toBe(0);
    slot?.giveBack();
    expect(slots.free).toBe(1);
  });

  test('is not waited for when none is expected within a second', async () => {
    const slots = await heldFor(8000);
    await expect(slots.takeSoon('other')).resolves.toBeUndefined();
  });

  test('is waited for no longer than a second, and is not given later', async () => {
    const slots = await heldFor(900);
    await pass(899);
    void slots.take('busy');
    await pass(1);
    const wanted = slots.takeSoon('other');
    await pass(999);
    await expect(Promise.race([wanted, Promise.resolve('waits')])).resolves.toBe('waits');
    await pass(1);
    await expect(wanted).resolves.toBeUndefined();
    slots.giveBack('busy');
    expect(slots.free).toBe(1);
  });

  test('is given up when its signal aborts', async () => {
    const slots = await heldFor(900);
    const stop = new AbortController();
    const wanted = slots.takeSoon('other', stop.signal);
    stop.abort();
    await expect(wanted).resolves.toBeUndefined();
    await expect(slots.takeSoon('other', stop.signal)).resolves.toBeUndefined();
  });
});

test('slots that are taken anyway are paid for by the next ones that are given back', async () => {
  const slots = new Slots(10);
  slots.takeFree('a', 8);
  slots.takeAnyway('a', 5);
  expect([slots.free, slots.freeFor('b')]).toEqual([0, 0]);
  slots.giveBack('a', 3);
  expect(slots.free).toBe(0);
  slots.giveBack('a', 10);
  expect(slots.free).toBe(10);
});
