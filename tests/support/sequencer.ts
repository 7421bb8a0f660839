import { createRequire } from 'node:module';
import type * as sequencer from '@jest/test-sequencer';

// Its types are those of the CommonJS module, whose class an import of the ES module has one level higher
const { default: Sequencer } = createRequire(import.meta.url)(
  '@jest/test-sequencer',
) as (typeof sequencer)['default'];

type Files = Parameters<sequencer.default['sort']>[0];

/** Tests that start the whole system. */
const LONGEST = /(first-run|embedded)\.test\.ts$/;

/**
 * The order of Jest's files of tests: the longest first. Jest knows their times only after a first run, so a clean clone
 * would start the longest near the end and then wait for them.
 */
export default class extends Sequencer {
  override sort(files: Files): Files {
    // oxlint-disable-next-line unicorn/no-array-sort -- it is Jest's own method, which returns a new list
    const sorted = super.sort(files) as Files;
    return sorted.toSorted(
      ({ path: one }, { path: other }) => Number(LONGEST.test(other)) - Number(LONGEST.test(one)),
    );
  }
}
