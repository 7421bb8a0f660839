import { styleText } from 'node:util';
import Table from 'cli-table3';
import { rangeText } from './report/figure-text.ts';
import { limitText, summaryText, valueText, verdictText } from './report/target-text.ts';
import type { Results } from './results.ts';
import type { Judged } from './target.ts';
import { judgeTargets } from './targets.ts';

const COLOURS = { yes: 'green', no: 'red', shown: 'cyan', 'not measured': 'yellow' } as const;

/**
 * The targets as text: a coloured table on a terminal, a line for each target if the output is piped. For a quick run
 * only a sentence that it judges nothing.
 */
export function targetsForTerminal(
  results: Results,
  stream: { readonly isTTY?: boolean } = process.stdout,
): string {
  if (results.mode === 'quick') return 'A quick run judges no targets. Run npm run bench for that.\n';
  const judged = judgeTargets(results);
  const text = stream.isTTY ? tableOf(judged) : judged.map(lineOf).join('\n');
  return `${text}\n${summaryText(judged)}\n`;
}

function tableOf(judged: readonly Judged[]): string {
  const table = new Table({
    head: ['figure', 'target', 'median', 'rounds', 'holds'],
    style: { head: [], border: [] },
    colAligns: ['left', 'left', 'right', 'right', 'left'],
    wordWrap: true,
    colWidths: [62, null, null, null, 26],
    // No lines between rows: there are about forty rows
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
