import { line, text } from './svg.ts';

/** Lines through a panel at an axis's ticks, and below them what they stand for. */
export function axisBelow(
  scale: (value: number) => number,
  ticks: readonly number[],
  format: (tick: number) => string,
  height: number,
): string {
  return ticks
    .map((tick) => {
      const x = scale(tick);
      return (
        line(x, 0, x, height, { class: 'grid' }) +
        text(x, height + 18, format(tick), { class: 'tick middle' })
      );
    })
    .join('');
}

/** Lines through a panel at an axis's ticks, and left of them what they stand for. */
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

/** A count in few letters: `500`, `20k`, `1M`. */
export function countText(count: number): string {
  if (count >= 1e6) return `${count / 1e6}M`;
  return count >= 1e3 ? `${count / 1e3}k` : `${count}`;
}

/** A size as one says it, in powers of 1,024: `16 KB`. */
export function sizeText(bytes: number): string {
  if (bytes >= 2 ** 20) return `${bytes / 2 ** 20} MB`;
  return bytes >= 2 ** 10 ? `${bytes / 2 ** 10} KB` : `${bytes} B`;
}

/** Milliseconds as one says them: `10 ms`, `1 s`. */
export function durationText(ms: number): string {
  return ms >= 1000 ? `${ms / 1000} s` : `${ms} ms`;
}
