import type { Sample } from '../../results.ts';
import { roundsOf, samplesOf } from '../../series.ts';
import { type Spread, spreadOf } from '../../statistics.ts';
import { brokerName, byBroker, contenderName, contendersOf } from '../names.ts';
import { type Bar, barPlot } from './bar-plot.ts';
import { type LinePanel, type LinePlot, linePlot, type Series } from './line-plot.ts';
import { type Range, rangePlot } from './range-plot.ts';

/** Draws samples as SVG; undefined if there are too few. */
type Plot = (samples: readonly Sample[]) => string | undefined;

/** All plots by file name, without `.svg`. */
export const PLOTS: Readonly<Record<string, Plot>> = {
  'drain-throughput': bars('drain', 'throughput', 'more', {
    title: 'No-op tasks per second, one worker',
    subtitle: 'More is better. Median of the rounds, whiskers from the least to the greatest.',
  }),
  'drain-cpu': bars('drain', 'cpu', 'less', {
    title: 'CPU of the worker per no-op task, in microseconds',
    subtitle: 'Less is better. Median of the rounds, whiskers from the least to the greatest.',
  }),
  'mixed-queued': ranges('mixed-queued', {
    title: 'How long a fast task waits for slow tasks, all queued at once',
    subtitle: 'From the start of work to the end of a 5 ms task, in ms: p50 left, p99 right. Less is better.',
  }),
  'mixed-open': ranges('mixed-open', {
    title: 'How long a fast task waits for slow tasks, 200 tasks per second',
    subtitle: 'From the send to the end of a 5 ms task, in ms: p50 left, p99 right. Less is better.',
  }),
  'growth-queued': growth('growth-queued', {
    title: 'Cost of a task by the length of the queue',
    subtitle: 'Flat is perfect: a task costs the same in a long queue as in a short one.',
    xTitle: 'tasks queued',
    xScale: 'log',
  }),
  'growth-concurrency': growth('growth-concurrency', {
    title: 'Cost of a task by concurrency',
    subtitle: 'No-op tasks, one worker.',
    xTitle: 'tasks at the same time',
    xScale: 'log',
  }),
  'growth-envelope': growth('growth-envelope', {
    title: 'Cost of a task by the size of its message',
    subtitle: 'Cost of sending and draining.',
    xTitle: 'size of a message',
    xScale: 'log',
    xUnit: 'bytes',
  }),
  'growth-run': (samples) =>
    lines(samples, 'growth-run', ['resident'], {
      title: 'Memory of a worker over a run of a million tasks',
      subtitle: 'Flat is perfect: the worker keeps nothing of finished tasks.',
      xTitle: 'tasks done',
      xScale: 'linear',
    }),
  scaling: (samples) =>
    lines(
      samples,
      'scaling',
      ['throughput'],
      {
        title: 'From 1 to 10 workers',
        subtitle: 'Sleeping tasks per second, beside the multiples of one worker.',
        xTitle: 'workers',
        xScale: 'linear',
      },
      withIdeal,
    ),
};

function bars(
  measure: string,
  figure: string,
  better: 'more' | 'less',
  words: { readonly title: string; readonly subtitle: string },
): Plot {
  return (samples) => {
    const chosen = samplesOf(samples, { measure, figure });
    if (chosen.length === 0) return undefined;
    const panels = byBroker(chosen).map(({ broker, samples: beside }) => ({
      heading: broker ? brokerName(broker) : '',
      bars: barsOf(beside, measure, figure, better),
    }));
    return barPlot({ ...words, panels });
  };
}

/** The bars of all contenders, best first. */
function barsOf(samples: readonly Sample[], measure: string, figure: string, better: 'more' | 'less'): Bar[] {
  const unsorted = contendersOf(samples).map((contender) => ({
    label: contenderName(contender),
    role: roleOf(contender),
    spread: spreadOf(roundsOf(samples, { measure, figure, contender }).values()),
  }));
  const sign = better === 'more' ? -1 : 1;
  return unsorted.toSorted((a, b) => sign * (a.spread.median - b.spread.median));
}

function ranges(measure: string, words: { readonly title: string; readonly subtitle: string }): Plot {
  return (samples) => {
    const chosen = samplesOf(samples, { measure, figure: 'fast-p99' });
    if (chosen.length === 0) return undefined;
    const all = samples.filter((each) => each.measure === measure);
    const panels = byBroker(all).map(({ broker, samples: beside }) => ({
      heading: broker ? brokerName(broker) : '',
      ranges: rangesOf(beside, measure),
    }));
    return rangePlot({ ...words, panels });
  };
}

function rangesOf(samples: readonly Sample[], measure: string): Range[] {
  const medianOf = (contender: string, figure: string): number | undefined =>
    spreadIn(samples, measure, figure, contender)?.median;
  const found = contendersOf(samples).flatMap((contender) => {
    const [p50Ms, p99Ms] = [medianOf(contender, 'fast-p50'), medianOf(contender, 'fast-p99')];
    if (p50Ms === undefined || p99Ms === undefined) return [];
    return [{ label: contenderName(contender), role: roleOf(contender), p50Ms, p99Ms }];
  });
  return found.toSorted((a, b) => a.p99Ms - b.p99Ms);
}

type LineWords = Omit<LinePlot, 'panels'>;

function growth(measure: string, words: LineWords): Plot {
  return (samples) => lines(samples, measure, ['cpu', 'throughput'], words);
}

const HEADINGS: Readonly<Record<string, string>> = {
  cpu: 'CPU, microseconds per task',
  throughput: 'tasks per second',
  resident: 'resident memory, MB',
};

function lines(
  samples: readonly Sample[],
  measure: string,
  figures: readonly string[],
  words: LineWords,
  finish: (panel: LinePanel) => LinePanel = (panel) => panel,
): string | undefined {
  const panels = figures
    .map((figure) => ({ heading: HEADINGS[figure] ?? figure, series: seriesOf(samples, measure, figure) }))
    .filter(({ series }) => series.some(({ points }) => points.length > 1))
    .map(finish);
  return panels.length > 0 ? linePlot({ ...words, panels }) : undefined;
}

/** A line for each contender and broker. */
function seriesOf(samples: readonly Sample[], measure: string, figure: string): Series[] {
  const chosen = samplesOf(samples, { measure, figure });
  const brokers = byBroker(chosen);
  return contendersOf(chosen).flatMap((contender) =>
    brokers.flatMap(({ broker }) => {
      const own = chosen.filter((each) => each.contender === contender && each.broker === broker);
      const ats = [...new Set(own.flatMap(({ at }) => at ?? []))].toSorted((a, b) => a - b);
      const points = ats.flatMap((x) => {
        const spread = spreadIn(own, measure, figure, contender, x);
        return spread ? [{ x, spread }] : [];
      });
      const name = contenderName(contender);
      const label = brokers.length > 1 && broker ? `${name}, ${brokerName(broker)}` : name;
      return points.length > 0 ? [{ label, points }] : [];
    }),
  );
}

/** Adds the ideal line: each point is the first point's value multiplied by the number of workers. */
function withIdeal(panel: LinePanel): LinePanel {
  const [first] = panel.series;
  const start = first?.points[0];
  if (!first || !start) return panel;
  const points = first.points.map(({ x }) => ({
    x,
    spread: spreadOf([(start.spread.median * x) / start.x]),
  }));
  return { ...panel, series: [...panel.series, { label: 'ideal', points, ideal: true }] };
}

function spreadIn(
  samples: readonly Sample[],
  measure: string,
  figure: string,
  contender: string,
  at?: number,
): Spread | undefined {
  const values = [...roundsOf(samples, { measure, figure, contender, at }).values()];
  return values.length > 0 ? spreadOf(values) : undefined;
}

function roleOf(contender: string): string {
  const roles: Readonly<Record<string, string>> = { baton: 'baton', 'raw-loop': 'floor', bullmq: 'anchor' };
  return roles[contender] ?? '';
}
