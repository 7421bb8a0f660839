import { describe, expect, test } from '@jest/globals';
import { Slots } from '../slots.ts';

describe('slots', () => {
  test('are given in the order of asking', async () => {
    const slots = new Slots(1);
    const order: string[] = [];
    await slots.take();
    const first = slots.take().then(() => order.push('first'));
    const second = slots.take().then(() => order.push('second'));
    slots.giveBack();
    const late = slots.take().then(() => order.push('late'));
    await first;
    slots.giveBack();
    await second;
    slots.giveBack();
    await late;
    expect(order).toEqual(['first', 'second', 'late']);
    expect(slots.free).toBe(0);
  });

  test('are never more than there are, whoever asks when', async () => {
    const slots = new Slots(3);
    let running = 0;
    let most = 0;
    const task = async (): Promise<void> => {
      await slots.take();
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      slots.giveBack();
    };
    const looks = Array.from({ length: 20 }, () => slots.whenFree());
    await Promise.all([...Array.from({ length: 50 }, task), ...looks]);
    expect(most).toBe(3);
    expect(slots.free).toBe(3);
  });
});
