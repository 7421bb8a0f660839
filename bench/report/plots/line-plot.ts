import { scaleLinear, scaleLog } from 'd3-scale';
import type { Spread } from '../../statistics.ts';
import { axisBelow, axisLeft, countText, sizeText } from './axis.ts';
import { card, element, HEADER_HEIGHT, line, moved, PADDING, text, textWidth, WIDTH } from './svg.ts';

/** A point of a line. */
export interface Point {
  readonly x: number;
  readonly spread: Spread;
}

/** A contender's line. */
export interface Series {
  readonly label: string;
  readonly points: readonly Point[];
  /** Whether this is the ideal line, not a contender's. */
  readonly ideal?: boolean;
}

/** Lines that share both axes. */
export interface LinePanel {
  /** The title of the vertical axis, with its unit. */
  readonly heading: string;
  readonly series: readonly Series[];
}

/** A plot of lines. */
export interface LinePlot {
  readonly title: string;
  readonly subtitle: string;
  /** The title of the horizontal axis. */
  readonly xTitle: string;
  readonly xScale: 'log' | 'linear';
  /** The unit of the horizontal axis. Default: a count. */
  readonly xUnit?: 'bytes';
  readonly panels: readonly LinePanel[];
}

type Scale = (value: number) => number;

const PLOT_HEIGHT = 220;
const GAP = 24;
const LABEL_HEIGHT = 17;
const COLOURS = 5;
/** Up to this many points get dots and ticks. */
const FEW = 8;

/** Lines on a scale from 0, with a band from the least to the greatest round, panels side by side. */
export function linePlot(plot: LinePlot): string {
  const { panels } = plot;
  const width = (WIDTH - 2 * PADDING - GAP * (panels.length - 1)) / panels.length;
  const drawn = panels.map((panel, place) =>
    moved(PADDING + place * (width + GAP), HEADER_HEIGHT, linePanel(panel, plot, width)),
  );
  return card(plot.title, plot.subtitle, HEADER_HEIGHT + 22 + PLOT_HEIGHT + 66, ...drawn);
}

function linePanel(
  { heading, series }: LinePanel,
  { xTitle, xScale, xUnit }: LinePlot,
  outerWidth: number,
): string {
  const points = series.flatMap((each) => each.points);
  const top = Math.max(...points.map(({ spread }) => spread.max));
  const y = scaleLinear([0, top * 1.05], [PLOT_HEIGHT, 0]);
  const left = Math.max(...y.ticks(5).map((tick) => textWidth(countText(tick), 12))) + 12;
  const right = Math.max(...series.map(({ label }) => textWidth(label))) + 16;
  const width = outerWidth - left - right;
  const x = xAxis(points, xScale, width);
  const drawn = series.map((each, place) => oneSeries(each, colourOf(series, place), x.scale, y));
  const format = xUnit === 'bytes' ? sizeText : countText;
  return [
    text(0, 6, heading, { class: 'panel' }),
    moved(
      left,
      26,
      axisLeft(y, y.ticks(5), countText, width),
      axisBelow(x.scale, x.ticks, format, PLOT_HEIGHT),
      line(0, PLOT_HEIGHT, width, PLOT_HEIGHT, { class: 'axis' }),
      // The first line, Baton's, is drawn last, on top of the others
      ...drawn.toReversed(),
      endLabels(series, width + 12, y),
      text(width / 2, PLOT_HEIGHT + 42, xTitle, { class: 'muted middle' }),
    ),
  ].join('');
}

/** The scale and ticks of the horizontal axis. If there are few values, each one is a tick. */
function xAxis(
  points: readonly Point[],
  kind: LinePlot['xScale'],
  width: number,
): { readonly scale: Scale; readonly ticks: readonly number[] } {
  const values = [...new Set(points.map(({ x }) => x))];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const scale = kind === 'log' ? scaleLog([low, high], [0, width]) : scaleLinear([0, high], [0, width]);
  return { scale, ticks: values.length > FEW ? scale.ticks(5) : values };
}

function oneSeries({ points, ideal }: Series, colour: string, x: Scale, y: Scale): string {
  const at = (value: (spread: Spread) => number) => (point: Point) =>
    `${rounded(x(point.x))} ${rounded(y(value(point.spread)))}`;
  const path = `M${points.map(at(({ median }) => median)).join('L')}`;
  if (ideal) return element('path', { d: path, class: 'series ideal' });
  const least = points.map(at(({ min }) => min));
  const band = `M${[...least, ...points.toReversed().map(at(({ max }) => max))].join('L')}Z`;
  // Many dots would hide the line
  const dots = points.length > FEW ? [] : points;
  return [
    element('path', { d: band, class: `band ${colour}` }),
    element('path', { d: path, class: `series ${colour}` }),
    ...dots.map((point) =>
      element('circle', { cx: x(point.x), cy: y(point.spread.median), r: 4.5, class: `dot ${colour}` }),
    ),
  ].join('');
}

/** Each line's name at its end, moved apart if lines end close to each other. */
function endLabels(series: readonly Series[], x: number, y: Scale): string {
  const wanted = series
    .map(({ label, points, ideal }, place) => ({
      label,
      colour: ideal ? 'muted' : colourOf(series, place),
      y: y(points.at(-1)?.spread.median ?? 0),
    }))
    .toSorted((a, b) => a.y - b.y);
  const placed = apart(wanted.map((each) => each.y));
  return wanted
    .map(({ label, colour }, place) =>
      text(x, placed[place] ?? 0, label, {
        class: `label ${colour}${colour === 'c0' ? ' strong' : ''}`,
        dy: '0.35em',
      }),
    )
    .join('');
}

/** Moves ascending heights apart by the height of a label, keeping them inside the plot and near their old place. */
function apart(heights: readonly number[]): number[] {
  const placed = [...heights];
  for (let place = 1; place < placed.length; place++)
    placed[place] = Math.max(placed[place] ?? 0, (placed[place - 1] ?? 0) + LABEL_HEIGHT);
  let below = PLOT_HEIGHT + LABEL_HEIGHT;
  for (let place = placed.length - 1; place >= 0; place--) {
    below = Math.min(placed[place] ?? 0, below - LABEL_HEIGHT);
    placed[place] = below;
  }
  return placed;
}

/** The colour of a line. The first line is Baton's, which has the same colour in all plots. */
function colourOf(series: readonly Series[], place: number): string {
  const before = series.slice(0, place).filter(({ ideal }) => !ideal).length;
  return `c${before % COLOURS}`;
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
