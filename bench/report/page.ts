import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Results, Sample } from '../results.ts';
import { judgeTargets } from '../targets.ts';
import { joinedResults } from './joined-results.ts';
import { marked, markedText, withMarkedText } from './marked-text.ts';
import { MEASURE_PAGES, type MeasurePage } from './measure-pages.ts';
import { PLOTS } from './plots/plots.ts';
import { absentSection, measureSection, runSection, targetsSection } from './sections.ts';

const TEMPLATE = new URL('template.md', import.meta.url);

/**
 * Writes `performance.md`, `performance.json` and `performance/*.svg` into a folder, and returns their paths. Keeps an
 * earlier run's results of measures that this run lacks, if they come from this machine. In an existing page it
 * replaces only the text between the markers.
 */
export async function writePage(results: Results, folder: string): Promise<string[]> {
  const [page, json] = [join(folder, 'performance.md'), join(folder, 'performance.json')];
  const joined = joinedResults(results, await resultsIn(json));
  const shown = { ...joined, samples: withLongRun(joined.samples) };
  await mkdir(join(folder, 'performance'), { recursive: true });
  await writeFile(json, jsonOf(joined));
  const plots = await writePlots(shown.samples, join(folder, 'performance'));
  const before = (await textIn(page)) ?? (await readFile(TEMPLATE, 'utf8'));
  await writeFile(page, pageOf(shown, before, [...plots.keys()]));
  return [page, json, ...plots.values()];
}

/** The page with the results between its markers. Sections that the page has no markers for are appended. */
function pageOf(results: Results, before: string, plots: readonly string[]): string {
  const sections: readonly (readonly [name: string, title: string, text: string])[] = [
    ['run', 'What was run', runSection(results)],
    ['targets', 'Targets', targetsSection(judgeTargets(results))],
    ...measurePages(results.samples).map(
      (page) => [page.id, page.title, measureSection(page, results, plots)] as const,
    ),
    ['absent', 'Absent contenders', absentSection(results)],
  ];
  return sections.reduce(
    (page, [name, title, section]) =>
      markedText(page, name) === undefined
        ? `${page.trimEnd()}\n\n## ${title}\n\n${marked(name, section)}\n`
        : withMarkedText(page, name, section),
    before,
  );
}

/** Adds the cost of a task in the run of a million to `growth-queued`: it is the cost at the longest queue. */
function withLongRun(samples: readonly Sample[]): Sample[] {
  const costs = samples.filter(({ measure, figure }) => measure === 'growth-run' && figure !== 'resident');
  return samples.concat(costs.map((sample) => Object.assign({}, sample, { measure: 'growth-queued' })));
}

/** The layout of each measure's section. A measure without a planned layout gets all its figures. */
function measurePages(samples: readonly Sample[]): MeasurePage[] {
  const planned = new Set(MEASURE_PAGES.map(({ id }) => id));
  const unknown = new Set(samples.map(({ measure }) => measure).filter((id) => !planned.has(id)));
  const unplanned = [...unknown].map((id): MeasurePage => {
    const figures = new Set(samples.flatMap((each) => (each.measure === id ? [each.figure] : [])));
    return {
      id,
      title: id,
      tables: [{ figures: [...figures].map((each) => ({ figure: each, title: each })) }],
    };
  });
  return [...MEASURE_PAGES, ...unplanned];
}

/** Writes the plots that have samples, and removes the files of all others. Returns paths by name. */
async function writePlots(samples: readonly Sample[], folder: string): Promise<Map<string, string>> {
  const written = new Map<string, string>();
  for (const [name, draw] of Object.entries(PLOTS)) {
    const path = join(folder, `${name}.svg`);
    const svg = draw(samples);
    if (svg === undefined) await rm(path, { force: true });
    else {
      await writeFile(path, svg);
      written.set(name, path);
    }
  }
  return written;
}

/** Results as JSON with one sample on each line, so that a diff can compare runs. */
function jsonOf({ samples, ...rest }: Results): string {
  const head = JSON.stringify(rest, undefined, 2).slice(0, -2);
  const lines = samples.map((sample) => `    ${JSON.stringify(sample)}`);
  return `${head},\n  "samples": [\n${lines.join(',\n')}\n  ]\n}\n`;
}

/** The results of an earlier run; undefined if the file is missing or broken. It is ours and will be overwritten. */
async function resultsIn(path: string): Promise<Results | undefined> {
  const text = await textIn(path);
  try {
    return text === undefined ? undefined : (JSON.parse(text) as Results);
  } catch {
    return undefined;
  }
}

async function textIn(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    if (Error.isError(error) && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });
}
