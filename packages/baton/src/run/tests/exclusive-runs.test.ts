import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { ExclusiveRuns, type Turn } from '../exclusive-runs.ts';
import { eventually } from 'baton-dev/testing/eventually';

const never = new AbortController().signal;

/** Starts a suspect, which then waits for its turn. */
function suspect(runs: ExclusiveRuns, givenUp = never) {
  const waiting: { turn?: Turn; error?: unknown } = {};
  runs.begin();
  runs.turn(givenUp).then(
    (turn) => (waiting.turn = turn),
    (error: unknown) => (waiting.error = error),
  );
  return waiting;
}

/** Ends a suspect. */
function ends(runs: ExclusiveRuns, one?: { turn?: Turn }): void {
  one?.turn?.over();
  runs.end();
}

const moment = () => new Promise(setImmediate);

describe('a suspect', () => {
  test('has its turn at once if nothing else runs, and no other task starts until it ends', async () => {
    const [onClose, onOpen] = [jest.fn(), jest.fn()];
    const runs = new ExclusiveRuns({ onClose, onOpen });
    const one = suspect(runs);
    await moment();
    expect(one.turn?.alone).toBe(true);
    expect([runs.closed, onClose.mock.calls.length, onOpen.mock.calls.length]).toEqual([true, 1, 0]);
    await expect(runs.opened(1, never)).resolves.toBe(false);
    const opened = runs.opened(10_000, never);
    ends(runs, one);
    await expect(opened).resolves.toBe(true);
    expect([runs.closed, onOpen.mock.calls.length]).toEqual([false, 1]);
  });

  test('waits until all running tasks have ended', async () => {
    const runs = new ExclusiveRuns();
    runs.begin();
    runs.begin();
    const one = suspect(runs);
    runs.end();
    await moment();
    expect(one.turn).toBeUndefined();
    runs.end();
    await moment();
    expect(one.turn?.alone).toBe(true);
  });

  test('runs beside the tasks that still run once it has waited long enough, and reports this', async () => {
    const runs = new ExclusiveRuns({ patienceMs: 20 });
    runs.begin();
    const one = suspect(runs);
    await eventually('its turn', () => one.turn);
    expect([one.turn?.alone, runs.closed]).toEqual([false, true]);
  });

  test('lets other tasks start again once it has run for some time', async () => {
    const onOpen = jest.fn();
    const runs = new ExclusiveRuns({ aloneMs: 20, onOpen });
    const one = suspect(runs);
    await eventually('an end of its turn', () => !runs.closed);
    expect([one.turn?.alone, onOpen.mock.calls.length]).toEqual([true, 1]);
    const other = suspect(runs);
    await moment();
    expect(other.turn).toBeUndefined();
    ends(runs, one);
    await eventually('the turn of the other one', () => other.turn);
    expect([other.turn?.alone, runs.closed]).toEqual([true, true]);
  });

  test('runs after another suspect that waited before it', async () => {
    const runs = new ExclusiveRuns();
    runs.begin();
    const [one, other] = [suspect(runs), suspect(runs)];
    runs.end();
    await moment();
    expect([one.turn?.alone, other.turn]).toEqual([true, undefined]);
    ends(runs, one);
    await moment();
    expect([other.turn?.alone, runs.closed]).toEqual([true, true]);
    ends(runs, other);
    expect(runs.closed).toBe(false);
  });

  test('that stops waiting lets other tasks start again, and counts as running until it ends', async () => {
    const runs = new ExclusiveRuns({ openFor: 0 });
    runs.begin();
    const giveUp = new AbortController();
    const one = suspect(runs, giveUp.signal);
    giveUp.abort(new Error('stopping'));
    await moment();
    expect([one.error, runs.closed]).toEqual([new Error('stopping'), false]);
    const other = suspect(runs);
    runs.end();
    await moment();
    expect(other.turn).toBeUndefined();
    ends(runs, one);
    await moment();
    expect(other.turn?.alone).toBe(true);
  });

  test('that must stop after its turn has come does not change the turns after it', async () => {
    const runs = new ExclusiveRuns();
    const giveUp = new AbortController();
    const [one, other] = [suspect(runs, giveUp.signal), suspect(runs)];
    giveUp.abort(new Error('stopping'));
    await moment();
    expect([one.turn?.alone, other.turn, other.error]).toEqual([true, undefined, undefined]);
    ends(runs, one);
    await moment();
    expect(other.turn?.alone).toBe(true);
  });
});

describe('suspects that come again and again', () => {
  beforeEach(() => void jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] }));
  afterEach(() => void jest.useRealTimers());

  /** Keeps ten suspects in the process, each of which runs for so long, and measures how long others may start. */
  async function openShare(runs: ExclusiveRuns, runsMs: number): Promise<number> {
    let [openMs, totalMs] = [0, 0];
    const suspects = new Set<ReturnType<typeof suspect>>();
    const endsAt = new Map<object, number>();
    for (; totalMs < 600_000; totalMs += 100) {
      while (suspects.size < 10) suspects.add(suspect(runs));
      await moment();
      for (const each of suspects) {
        if (each.turn && !endsAt.has(each)) endsAt.set(each, totalMs + runsMs);
        if (totalMs < (endsAt.get(each) ?? Infinity)) continue;
        ends(runs, each);
        suspects.delete(each);
      }
      if (!runs.closed) openMs += 100;
      jest.advanceTimersByTime(100);
    }
    return openMs / totalMs;
  }

  test.each([100, 3000, 9000, 60_000])(
    'and run for %i ms leave half of the time to others',
    async (runsMs) => {
      await expect(openShare(new ExclusiveRuns(), runsMs)).resolves.toBeGreaterThan(0.45);
    },
  );

  test('and wait for tasks that run for long leave half of the time to others', async () => {
    const runs = new ExclusiveRuns();
    runs.begin();
    await expect(openShare(runs, 100)).resolves.toBeGreaterThan(0.45);
  });

  test('have turns one right after another for 10 s, and each has its turn in the end', async () => {
    const runs = new ExclusiveRuns();
    const suspects = Array.from({ length: 20 }, () => suspect(runs));
    const endedAtSeconds: number[] = [];
    for (let second = 1; second <= 40; second += 1) {
      await moment();
      const runsNow = suspects.findIndex(({ turn }) => turn);
      jest.advanceTimersByTime(1000);
      if (runsNow < 0) continue;
      endedAtSeconds.push(second);
      ends(runs, ...suspects.splice(runsNow, 1));
    }
    const from = (first: number) => Array.from({ length: 10 }, (_, index) => first + index);
    expect(endedAtSeconds).toEqual([...from(1), ...from(21)]);
  });

  test('may have turns without a rest', async () => {
    await expect(openShare(new ExclusiveRuns({ openFor: 0 }), 3000)).resolves.toBe(0);
  });
});

test('a wait to start a task stops when its signal aborts', async () => {
  const runs = new ExclusiveRuns();
  suspect(runs);
  const stop = new AbortController();
  const opened = runs.opened(10_000, stop.signal);
  stop.abort();
  await expect(opened).resolves.toBe(false);
  await expect(runs.opened(10_000, stop.signal)).resolves.toBe(false);
});
