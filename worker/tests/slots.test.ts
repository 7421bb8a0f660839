import { describe, expect, test } from '@jest/globals';
import { Slots } from '../slots.ts';

describe('slots', () => {
  test('of one queue are given in the order of asking', async () => {
    const slots = new Slots(1);
    const order: string[] = [];
    await slots.take('a');
    const asked = ['first', 'second', 'third'].map((name) => slots.take('a').then(() => order.push(name)));
    for (const each of asked) {
      slots.giveBack();
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
      await slots.take(`queue-${index % 4}`);
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      slots.giveBack();
    };
    await Promise.all(Array.from({ length: 50 }, task));
    expect(most).toBe(3);
    expect(slots.free).toBe(3);
  });

  test('that are free may be taken several at a time, but not more than there are', () => {
    const slots = new Slots(5);
    expect([slots.takeFree('a', 3), slots.takeFree('b', 10), slots.takeFree('a', 1)]).toEqual([3, 2, 0]);
    slots.giveBack(5);
    expect(slots.free).toBe(5);
  });

  test('are shared by weight while there are too few, and no queue starves', async () => {
    const slots = new Slots(
      1,
      new Map([
        ['heavy', 3],
        ['light', 1],
      ]),
    );
    const given: string[] = [];
    await slots.take('other');
    const asked = ['heavy', 'light'].flatMap((queue) =>
      Array.from({ length: 40 }, () => slots.take(queue).then(() => given.push(queue))),
    );
    for (let slot = 0; slot < 40; slot += 1) {
      slots.giveBack();
      await Promise.race(asked);
      await new Promise((turn) => setImmediate(turn));
    }
    const light = given.slice(0, 40).filter((queue) => queue === 'light').length;
    expect([9, 10, 11]).toContain(light);
  });

  test('give no credit for a pause: a queue that comes back does not shut the others out', async () => {
    const slots = new Slots(
      1,
      new Map([
        ['busy', 1],
        ['back', 1],
      ]),
    );
    for (let slot = 0; slot < 100; slot += 1) {
      await slots.take('busy');
      slots.giveBack();
    }
    await slots.take('busy');
    const given: string[] = [];
    const ask = (queue: string) => slots.take(queue).then(() => given.push(queue));
    const asked = [ask('busy'), ...Array.from({ length: 10 }, () => ask('back')), ask('busy')];
    for (let slot = 0; slot < 4; slot += 1) {
      slots.giveBack();
      await new Promise((turn) => setImmediate(turn));
    }
    expect(given).toContain('busy');
    expect(asked).toHaveLength(12);
  });
});
