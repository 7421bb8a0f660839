import { describe, expect, test } from '@jest/globals';
import { linePlot } from '../report/plots/line-plot.ts';
import { PLOTS } from '../report/plots/plots.ts';
import type { Sample } from '../results.ts';
import { spreadOf } from '../statistics.ts';
import { fullResults } from './synthetic-results.ts';

const { samples } = fullResults();
const draw = (name: string, of: readonly Sample[] = samples): string => PLOTS[name]?.(of) ?? '';

/** The texts of a picture with their vertical positions. */
const textsOf = (svg: string): { readonly words: string; readonly y: number }[] =>
  [...svg.matchAll(/<text [^>]*\by="([\d.]+)"[^>]*>([^<]*)/g)].map(([, y, words = '']) => ({
    words,
    y: Number(y),
  }));

describe('a plot', () => {
  test.each(Object.keys(PLOTS))('of %s has a title, and no broken numbers', (name) => {
    const svg = draw(name);
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"[^>]* aria-label="[A-Z]/);
    expect(svg).not.toMatch(/NaN|undefined|Infinity|="-?\d+e/);
    expect(svg).toContain('Baton');
    expect(PLOTS[name]?.([])).toBeUndefined();
  });

  test('says "not measured" for a contender that is missing on one broker', () => {
    expect(textsOf(draw('drain-cpu')).map(({ words }) => words)).toContain('not measured');
  });

  test('has one scale for the bars of all brokers', () => {
    const bars = [...draw('drain-throughput').matchAll(/width="([\d.]+)"[^>]* class="bar baton"/g)];
    const [onFauxqs = 0, onElasticMq = 0] = bars.map(([, width]) => Number(width));
    expect(onElasticMq / onFauxqs).toBeCloseTo(0.4, 2);
  });

  test('cuts a bar that is far longer than all others, and still shows its figure', () => {
    const svg = draw('drain-cpu');
    expect(svg.match(/class="cut"/g)).toHaveLength(2);
    expect(textsOf(svg).map(({ words }) => words)).toContain('1,640');
    expect(draw('drain-throughput')).not.toContain('class="cut"');
  });

  test('escapes names that contain XML', () => {
    const strange = samples.map((sample) =>
      sample.contender === 'celery' ? { ...sample, contender: '<a & "b">' } : sample,
    );
    expect(draw('drain-cpu', strange)).toContain('>&lt;a &amp; &quot;b&quot;&gt;<');
  });

  test('of lines is not drawn for a single point', () => {
    const one = samples.filter(({ measure, at }) => measure === 'scaling' && at === 10);
    expect(PLOTS['scaling']?.(one)).toBeUndefined();
  });

  test('leaves out labels that would overlap on its axis, but not the last one', () => {
    const points = [1, 900_000, 1_000_000].map((x) => ({ x, spread: spreadOf([1]) }));
    const panels = [{ heading: '', series: [{ label: 'one', points }] }];
    const svg = linePlot({ title: 'Close', subtitle: '', xTitle: '', xScale: 'log', panels });
    const words = textsOf(svg).map((each) => each.words);
    expect(words).toEqual(expect.arrayContaining(['1', '1M']));
    expect(words).not.toContain('900k');
  });

  test('keeps the names of lines apart if they end at the same place', () => {
    const points = [1, 2].map((x) => ({ x, spread: spreadOf([0]) }));
    const names = ['one', 'two', 'three', 'four'];
    const svg = linePlot({
      title: 'Alike',
      subtitle: '',
      xTitle: '',
      xScale: 'linear',
      panels: [
        {
          heading: '',
          series: [
            ...names.map((label) => ({ label, points })),
            { label: 'top', points: [{ x: 2, spread: spreadOf([9]) }] },
          ],
        },
      ],
    });
    const heights = textsOf(svg)
      .filter(({ words }) => names.includes(words))
      .map(({ y }) => y)
      .toSorted((a, b) => a - b);
    const gaps = heights.slice(1).map((height, place) => height - (heights[place] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(17);
    expect(heights.at(-1)).toBeLessThanOrEqual(220);
  });
});
