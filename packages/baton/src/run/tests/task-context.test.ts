import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { TrackedWork } from '../../tracked/tests/tracked-work.ts';

let tracked: TrackedWork;
beforeAll(async () => {
  tracked = await TrackedWork.start();
});
afterAll(() => tracked.stop());

test('a copy of the context of a handler has all its members, also the logger', async () => {
  let copied: unknown;
  await tracked.run((_payload, context) => {
    const copy = { ...context };
    copied = [Object.keys(copy).toSorted(), copy.logger === context.logger, copy.logger.bindings()['taskId']];
    return { length: 0 };
  });
  const members = 'attempt effect logger maxAttempts progress send signal taskId token worker'.split(' ');
  expect(copied).toEqual([members, true, tracked.taskId]);
});
