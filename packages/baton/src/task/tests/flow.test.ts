import { describe, expect, test } from '@jest/globals';
import { chain, group, member } from '../flow.ts';
import { defineTask } from '../task.ts';
import * as z from 'zod';

const same = defineTask({
  name: 'tests.same',
  queue: 'default',
  payload: z.object({ text: z.string() }),
  result: z.object({ text: z.string() }),
  retry: { maxAttempts: 1, baseSeconds: 1 },
  timeoutSeconds: 1,
  tracked: true,
});
const collect = defineTask({ ...same, name: 'tests.collect', payload: z.array(same.result) });

const some = <Item>(howMany: number, item: Item): Item[] => Array.from({ length: howMany }, () => item);

describe('a flow', () => {
  test.each([0, 1, 101])('refuses a chain of %d steps', (howMany) => {
    expect(() => chain(some(howMany, same) as never)).toThrow(`expected 2 to 100 tasks, got ${howMany}`);
  });

  test.each([0, 101])('refuses a group of %d members', (howMany) => {
    expect(() => group(some(howMany, member(same, { text: 'x' })), collect)).toThrow(
      `expected 1 to 100 tasks, got ${howMany}`,
    );
  });

  test('accepts a hundred steps or members', () => {
    expect(chain(some(100, same) as never)).toMatchObject({ kind: 'chain' });
    const members = some(100, member(same, { text: 'x' }));
    expect(group(members, collect)).toEqual({ kind: 'group', members, next: collect });
  });

  test('is not a promise: a group stays a group if code awaits it by mistake', async () => {
    const flow: unknown = group([member(same, { text: 'x' })], collect);
    await expect(Promise.resolve(flow)).resolves.toBe(flow);
  });
});
