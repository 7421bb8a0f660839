import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Outcome } from '../../../../task/outcome.ts';
import { gives, keys, progresses } from '../../../../../tests/support/twins.ts';
import { TwinWork } from '../twin-work.ts';

const work = new TwinWork();
beforeEach(() => work.begin());
afterAll(() => work.pool.close());

/** Runs a task. Returns all that can be observed of it. */
async function learnt(run: () => Promise<Outcome>): Promise<unknown> {
  work.begin();
  const { kind, ...outcome } = await run();
  const { error, delaySeconds, ...rest } = outcome as { error?: Error; delaySeconds?: number };
  return {
    kind,
    ...rest,
    ...(error && { name: error.name, message: error.message }),
    ...(kind === 'retry' && (delaySeconds ?? 0) > 1 && { delaySeconds }),
    kept: Object.fromEntries(work.kept),
    progress: [...work.progress],
    paid: work.saying('paid').length,
  };
}

describe("a handler in a thread behaves as on its worker's event loop", () => {
  test.each(Object.keys(gives))('if an effect returns %s', async (what) => {
    const there = await learnt(() => work.inThread('gives an effect', what));
    expect(there).toEqual(await learnt(() => work.here('gives an effect', what)));
    expect(there).toMatchObject({ paid: 1 });
    expect(there).toMatchObject(
      JSON.stringify(there).includes('pay":')
        ? { kind: 'done' }
        : { kind: 'dead-letter', reason: 'rejected' },
    );
  });

  test.each(Object.keys(gives))('if it returns %s', async (what) => {
    expect(await learnt(() => work.inThread('gives a result', what))).toEqual(
      await learnt(() => work.here('gives a result', what)),
    );
  });

  test.each(Object.keys(progresses))('if it reports the progress: %s', async (what) => {
    const there = await learnt(() => work.inThread('says its progress', what));
    expect(there).toEqual(await learnt(() => work.here('says its progress', what)));
    expect(JSON.stringify(there)).not.toContain('StrayError');
  });

  test.each(Object.keys(keys))('if the key of an effect is %s', async (what) => {
    const there = await learnt(() => work.inThread('uses a key', what));
    expect(there).toEqual(await learnt(() => work.here('uses a key', what)));
    expect(there).toMatchObject({ kind: 'retry', name: 'InvalidValueError' });
  });

  test.each(['120', 'soon', 'Wed, 21 Oct 2020 07:28:00 GMT'])('if it asks for a rest of %s', async (what) => {
    expect(await learnt(() => work.inThread('asks for a rest', what))).toEqual(
      await learnt(() => work.here('asks for a rest', what)),
    );
  });
});
