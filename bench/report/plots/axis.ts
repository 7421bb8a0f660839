import { line, text, textWidth } from './svg.ts';

/** The least space between the labels of two ticks. */
const SPACE = 8;

/** Vertical grid lines at the ticks, with labels below. Labels that would overlap are left out. */
export function axisBelow(
  scale: (value: number) => number,
  ticks: readonly number[],
  format: (tick: number) => string,
  height: number,
): string {
  let free = Infinity;
  return ticks
    .toSorted((a, b) => b - a)
    .map((tick) => {
      const [x, words] = [scale(tick), format(tick)];
      const half = textWidth(words, 12) / 2;
      const grid = line(x, 0, x, height, { class: 'grid' });
      if (x + half > free) return grid;
      free = x - half - SPACE;
      return grid + text(x, height + 18, words, { class: 'tick middle' });
    })
    .join('');
}

/** Horizontal grid lines at the ticks, with labels on the left. */
export function axisLeft(
  scale: (value: number) => number,
  ticks: readonly number[],
  format: (tick: number) => string,
  width: number,
): string {
  return ticks
    .map((tick) => {
      const y = scale(tick);
      return (
        line(0, y, width, y, { class: 'grid' }) +
        text(-8, y, format(tick), { class: 'tick end', dy: '0.35em' })
      );
    })
    .join('');
}

/** A count in short form: `500`, `20k`, `1M`. */
export function countText(count: number): string {
  if (count >= 1e6) return `${count / 1e6}M`;
  return count >= 1e3 ? `${count / 1e3}k` : `${count}`;
}

/** A size in powers of 1,000: `10 kB`. */
export function sizeText(bytes: number): string {
  if (bytes >= 1e6) return `${bytes / 1e6} MB`;
  return bytes >= 1e3 ? `${bytes / 1e3} kB` : `${bytes} B`;
}

/** A duration in its natural unit: `10 ms`, `1 s`. */
export function durationText(ms: number): string {
  return ms >= 1000 ? `${ms / 1000} s` : `${ms} ms`;
}
