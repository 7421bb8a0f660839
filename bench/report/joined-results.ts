import { isDeepStrictEqual } from 'node:util';
import type { Results } from '../results.ts';

/**
 * A run's results, plus an earlier run's results of the measures that it left out. Earlier results of another machine
 * or mode are dropped: readers would compare the figures of two machines on one page.
 */
export function joinedResults(results: Results, earlier: Results | undefined): Results {
  const measured = new Set(results.samples.map(({ measure }) => measure));
  if (!earlier || earlier.mode !== results.mode || !isDeepStrictEqual(earlier.machine, results.machine))
    return results;
  const kept = earlier.samples.filter(({ measure }) => !measured.has(measure));
  return {
    ...results,
    versions: { ...earlier.versions, ...results.versions },
    absent: [...results.absent, ...stillAbsent(results, earlier)],
    samples: [...results.samples, ...kept],
    taken: Object.fromEntries(kept.map(({ measure }) => [measure, takenAt(earlier, measure)])),
  };
}

/** When a measure was taken, ISO 8601. */
export function takenAt({ taken, startedAt }: Results, measure: string): string {
  return taken?.[measure] ?? startedAt;
}

/** The absences of the earlier run whose contender and broker the later run does not mention. */
function stillAbsent({ absent, samples }: Results, earlier: Results): Results['absent'] {
  return earlier.absent.filter(({ contender, broker }) => {
    const isMeant = (each: { readonly contender: string; readonly broker?: string | undefined }): boolean =>
      each.contender === contender && each.broker === broker;
    return !absent.some(isMeant) && !samples.some(isMeant);
  });
}
