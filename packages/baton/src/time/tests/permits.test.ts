import { describe, expect, test } from '@jest/globals';
import { Permits } from '../permits.ts';

const { signal } = new AbortController();

describe('permits', () => {
  test('are given in the order of the calls, up to their number', async () => {
    const permits = new Permits(1, 2);
    await permits.acquire(signal);
    const entered: string[] = [];
    const waiting = ['a', 'b'].map((name) => permits.acquire(signal).then(() => entered.push(name)));
    permits.release();
    await waiting[0];
    expect(entered).toEqual(['a']);
    permits.release();
    await waiting[1];
    expect(entered).toEqual(['a', 'b']);
  });

  test('are refused at once if too many calls already wait', async () => {
    const permits = new Permits(1, 1);
    await permits.acquire(signal);
    const waiting = permits.acquire(signal);
    await expect(permits.acquire(signal)).rejects.toMatchObject({ name: 'TooManyWaitingError' });
    permits.release();
    await expect(waiting).resolves.toBeUndefined();
  });

  test('are not given to a call whose signal aborts while it waits', async () => {
    const permits = new Permits(1, 1);
    await permits.acquire(signal);
    const leaving = new AbortController();
    const left = permits.acquire(leaving.signal);
    leaving.abort(new Error('no more time'));
    await expect(left).rejects.toThrow('no more time');
    await expect(permits.acquire(leaving.signal)).rejects.toThrow('no more time');
    permits.release();
    await expect(permits.acquire(signal)).resolves.toBeUndefined();
  });
});

describe('work for each item of a list', () => {
  test('starts in order, one item per permit at a time, and gives the results in the order of the items', async () => {
    const permits = new Permits(2);
    const gates = [0, 1, 2].map(() => Promise.withResolvers<string>());
    const begun: number[] = [];
    const results = permits.map([0, 1, 2], (item) => {
      begun.push(item);
      return gates[item]?.promise ?? Promise.resolve('');
    });
    await turn();
    expect(begun).toEqual([0, 1]);
    gates[1]?.resolve('b');
    await turn();
    expect(begun).toEqual([0, 1, 2]);
    gates[2]?.resolve('c');
    gates[0]?.resolve('a');
    await expect(results).resolves.toEqual(['a', 'b', 'c']);
  });

  test('shares the permits with all other callers', async () => {
    const permits = new Permits(1);
    await permits.acquire(signal);
    const begun: number[] = [];
    const results = permits.map([0, 1], async (item) => begun.push(item));
    await turn();
    expect(begun).toEqual([]);
    permits.release();
    await results;
    expect(begun).toEqual([0, 1]);
    await expect(permits.acquire(signal)).resolves.toBeUndefined();
  });

  test('rejects with the first error, and returns the permits', async () => {
    const permits = new Permits(2);
    const failing = permits.map([0, 1, 2], (item) => Promise.reject(new Error(`no ${item}`)));
    await expect(failing).rejects.toThrow('no 0');
    await Promise.all([permits.acquire(signal), permits.acquire(signal)]);
  });
});

function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
