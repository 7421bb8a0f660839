import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { partOfHeapBytes, Room } from '../room.ts';

const never = new AbortController().signal;

describe('a room', () => {
  test('gives bytes to its takers in their order, and never more than it has', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 100 }), { maxLength: 20 }), async (wanted) => {
        const room = new Room(100);
        const begun: number[] = [];
        let held = 0;
        await Promise.all(
          wanted.map(async (bytes, index) => {
            expect(await room.takeLater(bytes, never)).toBe(true);
            begun.push(index);
            held += bytes;
            expect(held).toBeLessThanOrEqual(100);
            await Promise.resolve();
            held -= bytes;
            room.giveBack(bytes);
          }),
        );
        expect(begun).toEqual(wanted.map((_, index) => index));
        expect(room.freeBytes).toBe(100);
      }),
    );
  });

  test('gives more than it has to a taker that is alone', async () => {
    const room = new Room(100);
    expect(room.take(1000)).toBe(true);
    expect([room.freeBytes, room.take(1)]).toEqual([0, false]);
    const later = room.takeLater(2000, never);
    room.giveBack(1000);
    await expect(later).resolves.toBe(true);
  });

  test('gives no bytes to a taker that has left, and serves those behind it', async () => {
    const room = new Room(100);
    room.takeAnyway(60);
    const leaves = new AbortController();
    const large = room.takeLater(80, leaves.signal);
    const small = room.takeLater(30, never);
    expect(room.take(1)).toBe(false);
    leaves.abort();
    await expect(large).resolves.toBe(false);
    await expect(small).resolves.toBe(true);
    await expect(room.takeLater(1, leaves.signal)).resolves.toBe(false);
    expect(room.freeBytes).toBe(10);
  });

  test('has no limit unless it is given one, and a process offers an eighth of its heap', () => {
    expect(new Room().take(Number.MAX_SAFE_INTEGER)).toBe(true);
    expect(partOfHeapBytes()).toBeGreaterThan(1_048_576);
  });
});
