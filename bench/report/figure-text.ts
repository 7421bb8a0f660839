import type { Spread } from '../statistics.ts';

/** Number formats by the number of digits after the point. */
const FORMATS = [0, 1, 2, 3].map(
  (digits) => new Intl.NumberFormat('en-US', { maximumFractionDigits: digits }),
);

/** A figure with about three significant digits: `12,345`, `98.1`, `1.04`, `0.105`. */
export function figureText(value: number): string {
  const size = Math.abs(value);
  const digits = size >= 100 || size === 0 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  // Avoids `-0`, for -0.0001 for example
  const rounded = Number(value.toFixed(digits)) === 0 ? 0 : value;
  return FORMATS[digits]?.format(rounded) ?? String(rounded);
}

/** A figure with its unit: `4.2 s`. A ratio is `1.04×`. A share has no unit. */
export function withUnit(value: number, unit: string): string {
  if (unit === 'times') return `${figureText(value)}×`;
  return unit ? `${figureText(value)} ${unit}` : figureText(value);
}

/** The range of the rounds: `98.1 to 103`. One figure if all rounds have the same. */
export function rangeText({ min, max }: Spread): string {
  const [from, to] = [figureText(min), figureText(max)];
  return from === to ? from : `${from} to ${to}`;
}

/** A median, and the range of the rounds if they differ: `100 (98.1 to 103)`. */
export function spreadText(spread: Spread): string {
  const [middle, range] = [figureText(spread.median), rangeText(spread)];
  return middle === range ? middle : `${middle} (${range})`;
}
