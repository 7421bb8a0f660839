import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { within } from '../within.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

describe('a wait with a time limit', () => {
  test('returns the result of work that ends in time, and leaves no timer behind', async () => {
    await expect(within(1000, Promise.resolve('done'), () => 'late')).resolves.toBe('done');
    expect(jest.getTimerCount()).toBe(0);
  });

  test('throws the error of work that fails in time, and leaves no timer behind', async () => {
    await expect(within(1000, Promise.reject(new Error('failed')), () => 'late')).rejects.toThrow('failed');
    expect(jest.getTimerCount()).toBe(0);
  });

  test('returns the substitute for late work once the time is over, not before', async () => {
    const late = jest.fn(() => 'late');
    const waiting = within(1000, new Promise<string>(() => undefined), late);
    await jest.advanceTimersByTimeAsync(999);
    expect(late).not.toHaveBeenCalled();
    await jest.advanceTimersByTimeAsync(1);
    await expect(waiting).resolves.toBe('late');
  });

  test('throws the error of the substitute for late work', async () => {
    const waiting = within(1000, new Promise<string>(() => undefined), () => {
      throw new Error('no answer in time');
    });
    await Promise.all([
      expect(waiting).rejects.toThrow('no answer in time'),
      jest.advanceTimersByTimeAsync(1000),
    ]);
  });

  test('leaves no unhandled rejection if the work fails after the time is over', async () => {
    const unhandled = jest.fn();
    process.on('unhandledRejection', unhandled);
    const work = Promise.withResolvers<string>();
    const waiting = within(1000, work.promise, () => 'late');
    await jest.advanceTimersByTimeAsync(1000);
    work.reject(new Error('too late'));
    await waiting;
    jest.useRealTimers();
    await new Promise((resolve) => void setImmediate(resolve));
    process.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });
});
