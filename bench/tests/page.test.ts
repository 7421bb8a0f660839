import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { check } from 'prettier';
import { markedText } from '../report/marked-text.ts';
import { MEASURE_PAGES } from '../report/measure-pages.ts';
import { writePage } from '../report/page.ts';
import type { Results } from '../results.ts';
import { fullResults, partialResults, resultsFallingShort, rounds } from './synthetic-results.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'baton-page-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
const kept = (): Results => JSON.parse(read('performance.json')) as Results;

/** The page's text between the markers of a name. */
function section(name: string): string {
  const [, rest = ''] = read('performance.md').split(`<!-- bench:${name} -->`);
  return rest.split(`<!-- /bench:${name} -->`)[0] ?? '';
}

/** The cells of the table row that starts with this text. */
function cellsOf(text: string, start: string): string[] {
  const row = text.split('\n').find((line) => line.startsWith(`| ${start}`)) ?? '';
  return row.split(/(?<!\\)\|/).map((cell) => cell.trim());
}

describe('a full run', () => {
  test('writes a page, its plots and its samples, and returns their paths', async () => {
    const paths = await writePage(fullResults(), folder);
    const plots = MEASURE_PAGES.flatMap(({ plots: names = [] }) => names.map((name) => `${name}.svg`));
    expect(readdirSync(join(folder, 'performance')).toSorted()).toEqual(plots.toSorted());
    expect(paths.toSorted()).toEqual(
      [
        join(folder, 'performance.md'),
        join(folder, 'performance.json'),
        ...plots.map((name) => join(folder, 'performance', name)),
      ].toSorted(),
    );
    expect(kept().samples).toEqual(fullResults().samples);
    for (const plot of plots) expect(read('performance.md')).toContain(`(performance/${plot})`);
  });

  test('shows medians with their spread and their ratio to the raw loop, and marks the best', async () => {
    await writePage(fullResults(), folder);
    const drain = section('drain');
    expect(drain).toContain('Taken on 2026-11-25 03:04 UTC, 3 rounds.');
    expect(cellsOf(drain, '**Baton**').slice(2, 6)).toEqual([
      '**5,200 (4,992 to 5,460)**',
      '1.04',
      '96 (92.2 to 101)',
      '1.04',
    ]);
    expect(cellsOf(drain, 'raw SDK loop')[4]).toBe('**92 (88.3 to 96.6)**');
    // BullMQ is on another broker, so it cannot be the best
    expect(cellsOf(drain, 'BullMQ (Redis)')[2]).toBe('5,900 (5,664 to 6,195)');
    expect(cellsOf(section('mixed-queued'), '**Baton**')[3]).toContain('**1.11');
  });

  test('does not mark a contender on another broker, even if it has the same figure', async () => {
    const { samples } = partialResults('drain');
    const alike = { measure: 'drain', figure: 'throughput', unit: 'tasks/s', value: 5200 } as const;
    const others = samples.filter(({ contender }) => contender !== 'bullmq');
    const bullmq = rounds({ ...alike, contender: 'bullmq', broker: 'redis' });
    await writePage({ ...fullResults(), samples: [...others, ...bullmq] }, folder);
    expect(cellsOf(section('drain'), 'BullMQ (Redis)')[2]).toBe('5,200 (4,992 to 5,460)');
    expect(cellsOf(section('drain'), '**Baton**')[2]).toBe('**5,200 (4,992 to 5,460)**');
  });

  test('shows all targets, and marks those that fall short', async () => {
    await writePage(resultsFallingShort(), folder);
    const targets = section('targets');
    expect(targets).toContain('36 of 39 targets hold, 1 falls short, 2 were not measured.');
    expect(cellsOf(targets, '**`npm start` to the first 202**').slice(2, 6)).toEqual([
      '≤ 5 s',
      '**7.5**',
      '7.5',
      '**falls short**',
    ]);
    expect(cellsOf(targets, 'Throughput of one worker, relative to BullMQ on Redis').slice(2, 6)).toEqual([
      'shown',
      '0.881×',
      '0.881',
      '',
    ]);
  });

  test('says below the targets why some of them were not measured', async () => {
    await writePage(resultsFallingShort(), folder);
    expect(section('targets')).toContain(
      '\nNot measured:\n\n- Worker CPU per no-op task, relative to Celery on SQS (ElasticMQ): celery is absent: no',
    );
  });

  test('shows the cost in the run of a million tasks as the cost at the longest queue', async () => {
    await writePage(fullResults(), folder);
    expect(cellsOf(section('growth-queued'), '1,000,000')[2]).toBe('95 (91.2 to 99.8)');
    expect(kept().samples).toHaveLength(fullResults().samples.length);
  });

  test('lists absent contenders with their reasons, escaped', async () => {
    await writePage(fullResults(), folder);
    expect(section('absent').trim()).toBe(String.raw`- Celery on ElasticMQ: no Python\_3 on PATH &lt;here>`);
    expect(section('run')).toContain(String.raw`Some CPU \| 2.20GHz, 2 cores, 8 GB`);
  });
});

test("this repository's page has markers for every section", () => {
  const page = readFileSync(new URL('../../docs/performance.md', import.meta.url), 'utf8');
  const names = ['run', 'targets', 'absent', ...MEASURE_PAGES.map(({ id }) => id)];
  expect(names.filter((name) => markedText(page, name) === undefined)).toEqual([]);
});

test('a page has the layout of Prettier', async () => {
  const { samples } = partialResults('send', 'scaling');
  await writePage({ ...fullResults(), samples }, folder);
  expect(await check(read('performance.md'), { parser: 'markdown' })).toBe(true);
});

describe('an existing page', () => {
  test('keeps all text outside the markers', async () => {
    const prose = '# Mine\n\nBefore.\n\n## Drain\n\nWhat it is.\n\n';
    const after = '\n\n## What falls short\n\nNothing, <!-- a remark --> says $& and $1.\n';
    writeFileSync(
      join(folder, 'performance.md'),
      `${prose}<!-- bench:drain -->\n\nold\n\n<!-- /bench:drain -->${after}`,
    );
    await writePage(fullResults(), folder);
    const page = read('performance.md');
    expect(page.startsWith(`${prose}<!-- bench:drain -->\n\nTaken on`)).toBe(true);
    expect(page).toContain(`<!-- /bench:drain -->${after}`);
    expect(page).not.toContain('\nold\n');
    // Sections without markers are appended
    expect(page.indexOf('<!-- bench:targets -->')).toBeGreaterThan(page.indexOf('What falls short'));
    await writePage(fullResults(), folder);
    expect(read('performance.md')).toBe(page);
  });

  test('keeps a section whose end marker is missing', async () => {
    const open = '# Mine\n\n<!-- bench:drain -->\n\nstays\n';
    writeFileSync(join(folder, 'performance.md'), open);
    await writePage(fullResults(), folder);
    expect(read('performance.md').startsWith(open)).toBe(true);
  });
});

describe('a run of some measures', () => {
  const later = '2026-11-26T10:00:00.000Z';

  test('replaces these measures, keeps all others, and each shows when it was taken', async () => {
    await writePage(fullResults(), folder);
    const drain = partialResults('drain');
    const samples = drain.samples.map((sample) => ({ ...sample, value: sample.value * 2 }));
    await writePage({ ...drain, startedAt: later, samples, versions: { fauxqs: '9.0.0' } }, folder);
    expect(section('drain')).toContain('Taken on 2026-11-26 10:00 UTC');
    expect(section('drain')).toContain('**10,400');
    expect(section('mixed-queued')).toContain('Taken on 2026-11-25 03:04 UTC');
    expect(kept().samples).toHaveLength(fullResults().samples.length);
    expect(section('run')).toContain('sqs-consumer 15.0.1, fauxqs 9.0.0, bullmq 6.1.0');
    await writePage({ ...partialResults('crash'), startedAt: '2026-11-27T00:00:00.000Z' }, folder);
    expect(section('drain')).toContain('Taken on 2026-11-26 10:00 UTC');
    expect(section('mixed-queued')).toContain('Taken on 2026-11-25 03:04 UTC');
  });

  test('says which measures were never taken, and draws no plots of them', async () => {
    await writePage(partialResults('crash'), folder);
    expect(section('crash')).toContain('10.4');
    expect(section('drain').trim()).toBe('Not measured yet.');
    expect(readdirSync(join(folder, 'performance'))).toEqual([]);
  });

  test('removes a contender from the absent ones once it takes part', async () => {
    const celery = rounds({
      measure: 'drain',
      figure: 'cpu',
      unit: 'us/task',
      contender: 'celery',
      broker: 'elasticmq',
      value: 1,
    });
    await writePage(fullResults(), folder);
    await writePage({ ...partialResults('drain'), absent: [], samples: celery }, folder);
    expect(section('absent').trim()).toBe('None.');
  });

  test('is not joined with results of another machine or of a quick run', async () => {
    const { machine } = fullResults();
    await writePage(fullResults(), folder);
    await writePage({ ...partialResults('crash'), machine: { ...machine, cores: 64 } }, folder);
    expect(section('drain').trim()).toBe('Not measured yet.');
    expect(readdirSync(join(folder, 'performance'))).toEqual([]);
    await writePage(
      { ...partialResults('drain'), mode: 'quick', machine: { ...machine, cores: 64 } },
      folder,
    );
    expect(section('crash').trim()).toBe('Not measured yet.');
  });

  test('overwrites broken results of an earlier run', async () => {
    writeFileSync(join(folder, 'performance.json'), '{');
    await writePage(partialResults('crash'), folder);
    expect(kept().samples).toHaveLength(3);
  });
});

test('a quick run says on the page that it is a quick run', async () => {
  const { samples } = fullResults();
  const once = samples.filter(({ round }) => round === 1);
  await writePage({ ...fullResults(), mode: 'quick', samples: once }, folder);
  expect(section('run')).toContain('**A quick run. It proves that the bench works.');
  expect(section('drain')).toContain('1 round.');
  expect(cellsOf(section('drain'), '**Baton**')[2]).toBe('**5,200**');
});

test('a measure without a planned layout is shown too', async () => {
  const figure = { measure: 'cold', figure: 'first|byte', unit: 'ms', contender: 'a_b*c' } as const;
  await writePage({ ...partialResults(), samples: rounds({ ...figure, value: 12 }) }, folder);
  expect(read('performance.md')).toContain('## cold');
  expect(cellsOf(section('cold'), String.raw`a\_b\*c`)[2]).toBe('12 (11.5 to 12.6)');
});
