import { type Sample, UNITS } from '../results.ts';
import { roundsOf } from '../series.ts';
import { median, ratios, type Rounds, type Spread, spreadOf } from '../statistics.ts';
import { figureText, spreadText } from './figure-text.ts';
import { type Column, escaped, markdownTable } from './markdown-table.ts';
import type { FigureColumn, TablePlan } from './measure-pages.ts';
import { contenderName, contendersOf } from './names.ts';

/** The contender that others are compared with. */
const FLOOR = 'raw-loop';

/** The contender and the value of `at` of a row. */
interface Row {
  readonly contender: string;
  readonly at?: number | undefined;
}

/** The table of one broker's samples, with samples of Redis beside them; undefined if it would be empty. */
export function measureTable(
  samples: readonly Sample[],
  plan: TablePlan,
  broker: string | undefined,
): string | undefined {
  const wanted = samples.filter(({ figure }) => plan.figures.some((each) => each.figure === figure));
  if (wanted.length === 0) return undefined;
  return plan.across ? tableAcross(wanted, plan) : tableOfRows(wanted, plan, broker);
}

/** A table with a row for each contender and value of `at`. */
function tableOfRows(samples: readonly Sample[], plan: TablePlan, broker: string | undefined): string {
  const { by } = plan;
  const rows = contendersOf(samples).flatMap((contender) =>
    valuesAt(samples.filter((each) => each.contender === contender)).map((at) => ({ contender, at })),
  );
  const columns = plan.figures
    .filter(({ figure }) => samples.some((each) => each.figure === figure))
    .flatMap((column) => figureColumns(samples, column, rows, broker));
  const names: Column = { title: '', cells: rows.map(({ contender }) => nameCell(contender)) };
  const ats: Column = { title: by ?? '', align: 'right', cells: rows.map(({ at }) => atCell(at)) };
  return markdownTable([names, ...(by ? [ats] : []), ...columns]);
}

/** A table with a row for each value of `at` and a column for each contender. */
function tableAcross(samples: readonly Sample[], { by = '', figures }: TablePlan): string {
  const rows = valuesAt(samples);
  const columns = figures.flatMap(({ figure, title }) => {
    const ofFigure = samples.filter((each) => each.figure === figure);
    return contendersOf(ofFigure).map((contender): Column => {
      const spreads = rows.map((at) => spreadAt(ofFigure, { contender, at }));
      return {
        title: titleOf(contenderName(contender), title, ofFigure[0]?.unit),
        align: 'right',
        cells: spreads.map((spread) => (spread ? spreadText(spread) : '')),
      };
    });
  });
  return markdownTable([{ title: by, align: 'right', cells: rows.map(atCell) }, ...columns]);
}

/** The column of a figure, and the column of its ratios to the raw loop if the plan asks for it. */
function figureColumns(
  samples: readonly Sample[],
  column: FigureColumn,
  rows: readonly Row[],
  broker: string | undefined,
): Column[] {
  const { figure, title } = column;
  const ofFigure = samples.filter((each) => each.figure === figure);
  const unit = ofFigure[0]?.unit ?? 'times';
  const spreads = rows.map((row) => spreadAt(ofFigure, row));
  // A contender on another broker is shown, but cannot be the best
  const inContest = rows.map(({ contender }) =>
    ofFigure.some((each) => each.contender === contender && each.broker === broker),
  );
  const best = bestOf(
    spreads.filter((_, place) => inContest[place]),
    column.better ?? UNITS[unit],
  );
  const cells = spreads.map((spread, place) => {
    if (!spread) return '';
    const isBest = spread.median === best && inContest[place];
    return isBest ? `**${spreadText(spread)}**` : spreadText(spread);
  });
  const whole: Column = { title: titleOf(title, column.unit ?? unit), align: 'right', cells };
  const toFloor: Column = {
    title: 'ratio to raw loop',
    align: 'right',
    cells: rows.map((row) => ratioAt(ofFigure, row)),
  };
  const floor = rows.some(({ contender }) => contender === FLOOR);
  return column.ratio && floor ? [whole, toFloor] : [whole];
}

/** The title of a column from those parts that are not empty. */
function titleOf(...parts: readonly (string | undefined)[]): string {
  return parts.filter(Boolean).join(', ');
}

/** The best median; undefined if there are fewer than two, or `better` is `none`. */
function bestOf(
  spreads: readonly (Spread | undefined)[],
  better: 'more' | 'less' | 'none',
): number | undefined {
  const medians = spreads.flatMap((spread) => spread?.median ?? []);
  if (better === 'none' || medians.length < 2) return undefined;
  return better === 'more' ? Math.max(...medians) : Math.min(...medians);
}

function ratioAt(samples: readonly Sample[], row: Row): string {
  const values = ratios(roundsAt(samples, row), roundsAt(samples, { ...row, contender: FLOOR }));
  return values.size > 0 ? figureText(median(values.values())) : '';
}

function spreadAt(samples: readonly Sample[], row: Row): Spread | undefined {
  const values = [...roundsAt(samples, row).values()];
  return values.length > 0 ? spreadOf(values) : undefined;
}

/** The rounds of a row. All samples must belong to the same figure. */
function roundsAt(samples: readonly Sample[], { contender, at }: Row): Rounds {
  const [first] = samples;
  return first
    ? roundsOf(samples, { measure: first.measure, figure: first.figure, contender, at })
    : new Map();
}

function atCell(at: number | undefined): string {
  return at === undefined ? '' : figureText(at);
}

function nameCell(contender: string): string {
  const name = escaped(contenderName(contender));
  return contender === 'baton' ? `**${name}**` : name;
}

function valuesAt(samples: readonly Sample[]): (number | undefined)[] {
  return [...new Set(samples.map(({ at }) => at))].toSorted((a = 0, b = 0) => a - b);
}
