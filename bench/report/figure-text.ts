import type { Spread } from '../statistics.ts';

/** By how many digits come after the point. */
const FORMATS = [0, 1, 2, 3].map(
  (digits) => new Intl.NumberFormat('en-US', { maximumFractionDigits: digits }),
);

/** A figure with as many digits as can be told apart: `12,345`, `98.1`, `1.04`, `0.105`. */
export function figureText(value: number): string {
  const size = Math.abs(value);
  const digits = size >= 100 || size === 0 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  // -0.0001 is no less than nothing to a reader
  const rounded = Number(value.toFixed(digits)) === 0 ? 0 : value;
  return FORMATS[digits]?.format(rounded) ?? String(rounded);
}

/** A figure with its unit: `4.2 s`; a ratio as `1.04×`. A share has none. */
export function withUnit(value: number, unit: string): string {
  if (unit === 'times') return `${figureText(value)}×`;
  return unit ? `${figureText(value)} ${unit}` : figureText(value);
}

/** From where to where the rounds lie: `98.1 to 103`; one figure where they are alike. */
export function rangeText({ min, max }: Spread): string {
  const [from, to] = [figureText(min), figureText(max)];
  return from === to ? from : `${from} to ${to}`;
}

/** A median and, where the rounds differ, how far they lie apart: `100 (98.1 to 103)`. */
export function spreadText(spread: Spread): string {
  const [middle, range] = [figureText(spread.median), rangeText(spread)];
  return middle === range ? middle : `${middle} (${range})`;
}
