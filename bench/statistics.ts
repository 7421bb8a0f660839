import { max, min, quantileSorted } from 'd3-array';

/** The median of a figure's rounds, and how far the rounds differ. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  /** A quarter of the values lie below it. */
  readonly lowerQuartile: number;
  /** A quarter of the values lie above it. */
  readonly upperQuartile: number;
  readonly max: number;
  /** Number of values. */
  readonly count: number;
}

/** Values by round. */
export type Rounds = ReadonlyMap<number, number>;

/** The value below which a share of the values lies, 0 to 1, interpolated. @throws RangeError if there are no values */
export function percentile(values: Iterable<number>, share: number): number {
  const found = quantileSorted(
    [...values].toSorted((a, b) => a - b),
    share,
  );
  if (found === undefined) throw new RangeError(`percentile ${share * 100} needs at least one value`);
  return found;
}

/** The middle value; of an even count the mean of the middle two. @throws RangeError if there are no values */
export function median(values: Iterable<number>): number {
  return percentile(values, 0.5);
}

/** The median and the spread of values. @throws RangeError if there are no values */
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
 * Combines several series round by round, into their ratio for example. It leaves out a round that one series lacks,
 * because only values of one round saw the machine in the same state.
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

/** The ratios of two series in the rounds that both have. */
export function ratios(of: Rounds, to: Rounds): Rounds {
  return roundByRound([of, to], (dividend = Number.NaN, divisor = Number.NaN) => dividend / divisor);
}
