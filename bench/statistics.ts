import { max, min, quantileSorted } from 'd3-array';

/** What is known of a figure that was taken once a round: the middle, and how far the rounds lie apart. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  /** A quarter of the values lie below it. */
  readonly lowerQuartile: number;
  /** A quarter of the values lie above it. */
  readonly upperQuartile: number;
  readonly max: number;
  /** How many values there were. */
  readonly count: number;
}

/** Values by the round that they were taken in. */
export type Rounds = ReadonlyMap<number, number>;

/** The value below which a share of them lies, 0 to 1; between two values in proportion. @throws where there are none */
export function percentile(values: Iterable<number>, share: number): number {
  const found = quantileSorted(
    [...values].toSorted((a, b) => a - b),
    share,
  );
  if (found === undefined) throw new RangeError(`there is no percentile ${share * 100} of no values`);
  return found;
}

/** The one in the middle; of an even count the mean of the two there. @throws where there are none */
export function median(values: Iterable<number>): number {
  return percentile(values, 0.5);
}

/** Middle and spread of values. @throws where there are none */
export function spreadOf(values: Iterable<number>): Spread {
  const all = [...values];
  const middle = median(all);
  return {
    median: middle,
    min: min(all) ?? middle,
    lowerQuartile: percentile(all, 0.25),
    upperQuartile: percentile(all, 0.75),
    max: max(all) ?? middle,
    count: all.length,
  };
}

/**
 * What several series of rounds come to, round by round: their ratio, say. A round that one of them lacks is left out,
 * since only values of one round saw the machine in the same state.
 */
export function roundByRound(
  series: readonly Rounds[],
  combine: (...values: readonly number[]) => number,
): Rounds {
  const [first = new Map<number, number>()] = series;
  const common = [...first.keys()].filter((round) => series.every((each) => each.has(round)));
  return new Map(
    common.map((round) => [round, combine(...series.map((each) => each.get(round) ?? Number.NaN))]),
  );
}

/** The ratios of one to another in the same rounds. */
export function ratios(of: Rounds, to: Rounds): Rounds {
  return roundByRound([of, to], (dividend = Number.NaN, divisor = Number.NaN) => dividend / divisor);
}
