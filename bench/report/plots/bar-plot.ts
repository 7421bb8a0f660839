import { type ScaleLinear, scaleLinear } from 'd3-scale';
import type { Spread } from '../../statistics.ts';
import { figureText } from '../figure-text.ts';
import { axisBelow, countText } from './axis.ts';
import { card, element, HEADER_HEIGHT, line, moved, PADDING, text, textWidth, WIDTH } from './svg.ts';

/** A contender's bar. */
export interface Bar {
  readonly label: string;
  /** A class of the style: `baton`, `floor` or `anchor`; empty for all others. */
  readonly role: string;
  readonly spread: Spread;
}

/** Bars that share an axis and a heading. */
export interface BarPanel {
  readonly heading: string;
  readonly bars: readonly Bar[];
}

/** A plot of bars. */
export interface BarPlot {
  readonly title: string;
  readonly subtitle: string;
  readonly panels: readonly BarPanel[];
}

const ROW_HEIGHT = 30;
const BAR_HEIGHT = 16;
const GAP = 28;
/** A bar more than 3 times as long as the next longest is cut to 1.25 times its length. */
const [CUT_FROM, CUT_TO] = [3, 1.25];

/** Horizontal bars with whiskers from the least to the greatest round, panels side by side. */
export function barPlot({ title, subtitle, panels }: BarPlot): string {
  const labels = [...new Set(panels.flatMap(({ bars }) => bars.map(({ label }) => label)))];
  const left = PADDING + Math.max(...labels.map((label) => textWidth(label))) + 12;
  const width = (WIDTH - PADDING - left - GAP * (panels.length - 1)) / panels.length;
  const names = labels.map((label, row) =>
    text(left - 12, HEADER_HEIGHT + 22 + middleOf(row), label, {
      class: roleOf(panels, label) === 'baton' ? 'end strong' : 'end',
      dy: '0.35em',
    }),
  );
  const all = panels.flatMap(({ bars }) => bars.map(({ spread }) => spread));
  const widest = Math.max(...all.map(({ median }) => textWidth(figureText(median))));
  // One scale for all panels: readers compare bars side by side
  const scale = scaleLinear([0, longestOf(all.map(({ max }) => max))], [0, width - widest - 14]).clamp(true);
  const drawn = panels.map((panel, place) =>
    moved(left + place * (width + GAP), HEADER_HEIGHT, barPanel(panel, labels, scale)),
  );
  const height = HEADER_HEIGHT + 22 + labels.length * ROW_HEIGHT + 48;
  return card(title, subtitle, height, ...names, ...drawn);
}

/** The value of the longest bar. A bar far longer than all others is cut, because the others would vanish beside it. */
function longestOf(lengths: readonly number[]): number {
  const [longest = 0, ...others] = lengths.toSorted((a, b) => b - a);
  const next = Math.max(...others);
  return others.length > 1 && longest > CUT_FROM * next ? next * CUT_TO : longest;
}

type Scale = ScaleLinear<number, number>;

function barPanel({ heading, bars }: BarPanel, labels: readonly string[], scale: Scale): string {
  const height = labels.length * ROW_HEIGHT;
  const rows = labels.map((label, row) => {
    const bar = bars.find((each) => each.label === label);
    return bar
      ? oneBar(bar, middleOf(row), scale)
      : text(6, middleOf(row), 'not measured', { class: 'muted', dy: '0.35em' });
  });
  return [
    text(0, 6, heading, { class: 'panel' }),
    moved(0, 22, axisBelow(scale, scale.ticks(4), countText, height), ...rows),
    line(0, 22, 0, 22 + height, { class: 'axis' }),
  ].join('');
}

function oneBar({ role, spread }: Bar, y: number, scale: Scale): string {
  const { median, min, max } = spread;
  const isCut = median > (scale.domain()[1] ?? Infinity);
  const box = { x: 0, y: y - BAR_HEIGHT / 2, width: scale(median), height: BAR_HEIGHT, rx: 2 };
  const ends = [min, max].map((value) =>
    line(scale(value), y - 4, scale(value), y + 4, { class: 'whisker' }),
  );
  const whisker = [line(scale(min), y, scale(max), y, { class: 'whisker' }), ...ends];
  return [
    element('rect', { ...box, class: `bar ${role}`.trim() }),
    ...(isCut ? [cut(scale(median), y)] : []),
    ...(max > min && !isCut ? whisker : []),
    text(scale(max) + 8, y, figureText(median), {
      class: role === 'baton' ? 'strong' : undefined,
      dy: '0.35em',
    }),
  ].join('');
}

/** The mark of a cut bar. */
function cut(end: number, y: number): string {
  const half = BAR_HEIGHT / 2 + 2;
  return [-20, -14].map((x) => line(end + x - 3, y + half, end + x + 3, y - half, { class: 'cut' })).join('');
}

function middleOf(row: number): number {
  return row * ROW_HEIGHT + ROW_HEIGHT / 2;
}

function roleOf(panels: readonly BarPanel[], label: string): string | undefined {
  return panels.flatMap(({ bars }) => bars).find((bar) => bar.label === label)?.role;
}
