import type { Results } from '../results.ts';
import type { Judged } from '../target.ts';
import { figureText, rangeText } from './figure-text.ts';
import { takenAt } from './joined-results.ts';
import { escaped, markdownTable } from './markdown-table.ts';
import type { MeasurePage } from './measure-pages.ts';
import { measureTable } from './measure-table.ts';
import { brokerName, byBroker, contenderName } from './names.ts';
import { limitCell, summaryText, valueCell, verdictText } from './target-text.ts';

const NOTHING = 'Not measured yet.';

/** The section about the run: when, on which machine, with which versions. */
export function runSection(results: Results): string {
  const { machine, mode, startedAt, durationSeconds } = results;
  const versions = Object.entries(results.versions).map(([name, version]) => `${name} ${version}`);
  const rows = [
    ['started', timeText(startedAt)],
    ['took', `${figureText(durationSeconds / 60)} min`],
    ['machine', `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB`],
    ['system', `${machine.os}, Node ${machine.node}`],
    ['versions', versions.join(', ')],
  ];
  const list = rows.map(([what = '', is = '']) => `- **${what}**: ${escaped(is)}`).join('\n');
  const warning = '**A quick run. It proves that the bench works. Its figures say nothing about speed.**';
  return mode === 'quick' ? `${warning}\n\n${list}` : list;
}

/** The section with all targets and their results. */
export function targetsSection(judged: readonly Judged[]): string {
  const marked = (text: (each: Judged) => string): string[] =>
    judged.map((each) => (each.holds === 'no' ? `**${text(each)}**` : text(each)));
  const table = markdownTable([
    { title: 'figure', cells: marked(({ text }) => text) },
    { title: 'target', cells: judged.map(limitCell) },
    { title: 'median', align: 'right', cells: marked(valueCell) },
    { title: 'rounds', align: 'right', cells: judged.map(({ spread }) => (spread ? rangeText(spread) : '')) },
    { title: 'holds', cells: marked((each) => escaped(verdictText(each))) },
  ]);
  const reasons = judged.flatMap(({ text, why }) => (why ? `- ${escaped(`${text}: ${why}`)}` : []));
  const unmeasured = reasons.length > 0 ? `\n\nNot measured:\n\n${reasons.join('\n')}` : '';
  return `${summaryText(judged)}\n\n${table}${unmeasured}`;
}

/** The section of absent contenders: a line for each reason. */
export function absentSection({ absent }: Results): string {
  const reasons = Map.groupBy(absent, ({ broker = '', reason }) => `${broker}: ${reason}`);
  const lines = [...reasons.values()].map((alike) => {
    const names = [...new Set(alike.map(({ contender }) => contenderName(contender)))].join(', ');
    const [{ broker = 'redis', reason } = { reason: '' }] = alike;
    const where = broker === 'redis' ? '' : ` on ${brokerName(broker)}`;
    return `- ${escaped(`${names}${where}: ${reason}`)}`;
  });
  return lines.length > 0 ? lines.join('\n') : 'None.';
}

/** A measure's section: date, plots and tables. `plots` are the names of the plots with samples. */
export function measureSection(page: MeasurePage, results: Results, plots: readonly string[]): string {
  const samples = results.samples.filter(({ measure }) => measure === page.id);
  if (samples.length === 0) return NOTHING;
  const count = Math.max(...samples.map(({ round }) => round));
  const taken = `Taken on ${timeText(takenAt(results, page.id))}, ${count} ${count === 1 ? 'round' : 'rounds'}.`;
  const pictures = (page.plots ?? [])
    .filter((name) => plots.includes(name))
    .map((name) => `![${page.title}](performance/${name}.svg)`);
  const tables = byBroker(samples).flatMap(({ broker, samples: beside }) => {
    const drawn = page.tables.flatMap((plan) => measureTable(beside, plan, broker) ?? []);
    const heading = broker && drawn.length > 0 ? [`On ${brokerName(broker)}:`] : [];
    return heading.concat(drawn);
  });
  return [taken, ...pictures, ...tables].join('\n\n');
}

/** A time to the minute: `2026-11-25 03:04 UTC`. */
function timeText(iso: string): string {
  return `${iso.slice(0, 16).replace('T', ' ')} UTC`;
}
