import { styleText } from 'node:util';
import Table from 'cli-table3';
import { rangeText } from './report/figure-text.ts';
import { limitText, summaryText, valueText, verdictText } from './report/target-text.ts';
import type { Results } from './results.ts';
import type { Judged } from './target.ts';
import { judgeTargets } from './targets.ts';

const COLOURS = { yes: 'green', no: 'red', shown: 'cyan', 'not measured': 'yellow' } as const;

/**
 * The targets for a person at a terminal: a coloured table there, a line each where the output is piped. A short run
 * says that it judges nothing.
 */
export function targetsForTerminal(
  results: Results,
  stream: { readonly isTTY?: boolean } = process.stdout,
): string {
  if (results.mode === 'quick') return 'A short run judges nothing by time: npm run bench does.\n';
  const judged = judgeTargets(results);
  const text = stream.isTTY ? tableOf(judged) : judged.map(lineOf).join('\n');
  return `${text}\n${summaryText(judged)}\n`;
}

function tableOf(judged: readonly Judged[]): string {
  const table = new Table({
    head: ['what', 'target', 'median', 'rounds', 'holds'],
    style: { head: [], border: [] },
    colAligns: ['left', 'left', 'right', 'right', 'left'],
    wordWrap: true,
    colWidths: [62, null, null, null, 26],
    // No lines between rows: there are some forty of them
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  });
  for (const each of judged)
    table.push([
      each.text,
      limitText(each),
      valueText(each),
      each.spread ? rangeText(each.spread) : '',
      styleText(COLOURS[each.holds], [verdictText(each) || 'shown', each.why].filter(Boolean).join(': ')),
    ]);
  return table.toString();
}

function lineOf(each: Judged): string {
  const verdict = { yes: 'holds', no: 'FALLS SHORT', shown: 'shown', 'not measured': 'not measured' }[
    each.holds
  ];
  const seen = each.holds === 'not measured' ? (each.why ?? '') : valueText(each);
  const limit = each.limit === undefined ? '' : ` (${limitText(each)})`;
  return `${verdict.padEnd(12)} ${each.text}: ${seen}${limit}`;
}
