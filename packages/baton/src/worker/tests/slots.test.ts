import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Slots } from '../slots.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const LONG_MS = 8000;
const SHORT_MS = 5;

/** Runs tasks of this length in all slots that the queue gets, until `endMs`. Returns how many have ended. */
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

/** Runs one task. Resolves to how long it waited for its slot, in milliseconds. */
async function runTask(slots: Slots, queue: string, ms: number): Promise<number> {
  const askedAtMs = performance.now();
  await slots.take(queue);
  setTimeout(() => slots.taskEnded(queue, ms), ms);
  return performance.now() - askedAtMs;
}

const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

describe('slots', () => {
  test('of one queue are given in the order of the requests', async () => {
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

  test('are never given to more tasks than there are slots', async () => {
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

  test('that are free can be taken several at a time, but not more than there are', () => {
    const slots = new Slots(5);
    expect([slots.takeFree('a', 3), slots.takeFree('b', 10), slots.takeFree('a', 1)]).toEqual([3, 2, 0]);
    slots.giveBack('a', 3);
    slots.giveBack('b', 2);
    expect(slots.free).toBe(5);
  });

  test('are not given to a request whose signal has aborted', async () => {
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

describe('if slots are scarce,', () => {
  test.each([1, 2, 10])('tasks of 5 ms get the next of %i slots beside tasks of 8 s', async (total) => {
    const slots = new Slots(total);
    saturate(slots, 'long', LONG_MS);
    await pass(3000);
    const waits = Array.from({ length: 40 }, () => runTask(slots, 'short', SHORT_MS));
    await pass(3 * LONG_MS);
    const waitedMs = (await Promise.all(waits)).toSorted((one, other) => one - other);
    // The first task gets its slot when a long task ends. The others use the same slot one after the other
    expect(waitedMs[0]).toBe(LONG_MS - 3000);
    expect(waitedMs[39]).toBeLessThanOrEqual(LONG_MS - 3000 + 40 * SHORT_MS);
  });

  test.each([
    [1, 1],
    [3, 1],
    [100, 1],
  ])(
    'queues of the weights %i and %i share the time by weight, however long their tasks take',
    async (heavy, light) => {
      const slots = new Slots(4, new Map(Object.entries({ heavy, light })));
      const [long, short] = [saturate(slots, 'heavy', 400), saturate(slots, 'light', 20)];
      await pass(400_000);
      const ratio = (long.ended * 400) / (short.ended * 20);
      expect(ratio / (heavy / light)).toBeGreaterThan(0.9);
      expect(ratio / (heavy / light)).toBeLessThan(1.1);
      expect(short.ended).toBeGreaterThan(0);
    },
  );

  test('slots that become free at the same moment do not all go to one queue', async () => {
    const slots = new Slots(10);
    const [one, other] = [saturate(slots, 'one', 1000), saturate(slots, 'other', 1000)];
    // Each second ten tasks end at once, and ten start
    await pass(20_500);
    const before = one.ended;
    await pass(1000);
    expect(one.ended - before).toBe(5);
    expect(one.ended + other.ended).toBe(210);
  });

  test('a queue gets no extra slots after a pause', async () => {
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

  test('a queue that was nearly idle for long gets extra slots for at most a minute', async () => {
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

describe('while slow tasks hold the slots, the last slot is kept free', () => {
  /** Slots that know `long` as a slow queue. The queue `short` had a task a second ago. */
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

  test('for a queue that had a task within the last minute, so that its next task does not wait', async () => {
    const slots = await known(10);
    saturate(slots, 'long', LONG_MS);
    expect([slots.free, slots.freeFor('long'), slots.freeFor('short')]).toEqual([1, 0, 1]);
    await pass(30_000);
    await expect(runTask(slots, 'short', SHORT_MS)).resolves.toBe(0);
    // A second task does wait
    const second = runTask(slots, 'short', SHORT_MS);
    await pass(SHORT_MS);
    await expect(second).resolves.toBe(SHORT_MS);
  });

  test('for a minute, and then goes to a waiting task, even if nothing else happens', async () => {
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
    ['in a worker with fewer than eight slots', 7, {}, LONG_MS],
    ['if slots become free quickly', 10, {}, 2000],
    ['for a queue whose weight gives it less than one slot', 10, { long: 10 }, LONG_MS],
  ])('but not %s', async (_what, total, weights, longMs) => {
    const slots = await known(total, weights, longMs);
    saturate(slots, 'long', longMs);
    await pass(longMs + 1);
    expect(slots.free).toBe(0);
  });

  test('but not for a queue that never had a task: a single queue gets all slots', async () => {
    const slots = new Slots(10, new Map(Object.entries({ long: 1, never: 1 })));
    saturate(slots, 'long', LONG_MS);
    expect(slots.free).toBe(0);
  });
});

describe('a slot that is needed within a second', () => {
  /** A slot that is held by a task of this length. The slots know that the tasks of its queue take so long. */
  async function heldFor(ms: number): Promise<Slots> {
    const slots = new Slots(1);
    void runTask(slots, 'busy', ms);
    await pass(ms);
    void runTask(slots, 'busy', ms);
    return slots;
  }

  test('is taken if it is free, or becomes free within a second', async () => {
    const slots = await heldFor(900);
    const wanted = slots.takeSoon('other');
    await pass(900);
    const slot = await wanted;
    expect(slots.free).toBe(0);
    slot?.giveBack();
    expect(slots.free).toBe(1);
  });

  test('is not waited for if no slot is likely to become free within a second', async () => {
    const slots = await heldFor(8000);
    await expect(slots.takeSoon('other')).resolves.toBeUndefined();
  });

  test('is waited for at most a second, and is not given later', async () => {
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

  test('is not waited for any more once its signal aborts', async () => {
    const slots = await heldFor(900);
    const stop = new AbortController();
    const wanted = slots.takeSoon('other', stop.signal);
    stop.abort();
    await expect(wanted).resolves.toBeUndefined();
    await expect(slots.takeSoon('other', stop.signal)).resolves.toBeUndefined();
  });
});

test('slots that are taken beyond the limit are made up for by the next returned slots', async () => {
  const slots = new Slots(10);
  slots.takeFree('a', 8);
  slots.takeAnyway('a', 5);
  expect([slots.free, slots.freeFor('b')]).toEqual([0, 0]);
  slots.giveBack('a', 3);
  expect(slots.free).toBe(0);
  slots.giveBack('a', 10);
  expect(slots.free).toBe(10);
});
