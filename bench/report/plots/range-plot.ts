import { type ScaleLogarithmic, scaleLog } from 'd3-scale';
import { figureText } from '../figure-text.ts';
import { axisBelow, durationText } from './axis.ts';
import { card, element, HEADER_HEIGHT, moved, PADDING, text, textWidth, WIDTH } from './svg.ts';

/** A contender's latency. */
export interface Range {
  readonly label: string;
  /** A class of the style: `baton`, `floor` or `anchor`; empty for all others. */
  readonly role: string;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Ranges that share a heading. */
export interface RangePanel {
  readonly heading: string;
  readonly ranges: readonly Range[];
}

/** A plot of latencies. */
export interface RangePlot {
  readonly title: string;
  readonly subtitle: string;
  readonly panels: readonly RangePanel[];
}

const ROW_HEIGHT = 30;
const BAR_HEIGHT = 14;
const GAP = 28;
/** If 1 and 2 are at least this far apart, in pixels, 2 and 5 get ticks too: the width of `200 ms`. */
const SPACE_FOR_MORE = 50;

/** Bars from p50 to p99, panels side by side. The axis is logarithmic, because latencies differ so much. */
export function rangePlot({ title, subtitle, panels }: RangePlot): string {
  const ranges = panels.flatMap((panel) => panel.ranges);
  const labels = [...new Set(ranges.map(({ label }) => label))];
  const left = PADDING + Math.max(...labels.map((label) => textWidth(label))) + 12;
  const width = (WIDTH - PADDING - left - GAP * (panels.length - 1)) / panels.length;
  const smallest = Math.min(...ranges.map(({ p50Ms }) => p50Ms));
  const largest = Math.max(...ranges.map(({ p99Ms }) => p99Ms));
  // Leaves space for the figures on both sides
  const scale = scaleLog([smallest, largest * 1.05], [52, width - 52]);
  const names = labels.map((label, row) =>
    text(left - 12, HEADER_HEIGHT + 22 + middleOf(row), label, {
      class: ranges.find((each) => each.label === label)?.role === 'baton' ? 'end strong' : 'end',
      dy: '0.35em',
    }),
  );
  const drawn = panels.map((panel, place) =>
    moved(left + place * (width + GAP), HEADER_HEIGHT, rangePanel(panel, labels, scale)),
  );
  const height = HEADER_HEIGHT + 22 + labels.length * ROW_HEIGHT + 48;
  return card(title, subtitle, height, ...names, ...drawn);
}

type Scale = ScaleLogarithmic<number, number>;

function rangePanel({ heading, ranges }: RangePanel, labels: readonly string[], scale: Scale): string {
  const rows = labels.map((label, row) => {
    const range = ranges.find((each) => each.label === label);
    return range
      ? oneRange(range, middleOf(row), scale)
      : text(6, middleOf(row), 'not measured', { class: 'muted', dy: '0.35em' });
  });
  return [
    text(0, 6, heading, { class: 'panel' }),
    moved(0, 22, axisBelow(scale, ticksOf(scale), durationText, labels.length * ROW_HEIGHT), ...rows),
  ].join('');
}

/** Ticks at powers of ten, and at twice and five times those if there is space. */
function ticksOf(scale: Scale): number[] {
  const leading = (tick: number): number => Math.round(tick / 10 ** Math.floor(Math.log10(tick) + 1e-9));
  const shown = scale(2) - scale(1) < SPACE_FOR_MORE ? [1] : [1, 2, 5];
  return scale.ticks().filter((tick) => shown.includes(leading(tick)));
}

function oneRange({ role, p50Ms, p99Ms }: Range, y: number, scale: (value: number) => number): string {
  const [from, to] = [scale(p50Ms), scale(p99Ms)];
  // At least as wide as high, so that equal percentiles stay visible
  const box = {
    x: from - BAR_HEIGHT / 2,
    width: to - from + BAR_HEIGHT,
    height: BAR_HEIGHT,
    rx: BAR_HEIGHT / 2,
  };
  const strong = role === 'baton' ? ' strong' : '';
  return [
    element('rect', { ...box, y: y - BAR_HEIGHT / 2, class: `bar ${role}`.trim() }),
    text(from - BAR_HEIGHT / 2 - 6, y, figureText(p50Ms), { class: `end${strong}`, dy: '0.35em' }),
    text(to + BAR_HEIGHT / 2 + 6, y, figureText(p99Ms), { class: strong.trim() || undefined, dy: '0.35em' }),
  ].join('');
}

function middleOf(row: number): number {
  return row * ROW_HEIGHT + ROW_HEIGHT / 2;
}
