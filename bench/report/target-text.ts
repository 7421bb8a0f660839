import type { Judged } from '../target.ts';
import { withUnit } from './figure-text.ts';

/** The limit of a target: `at most 1.1×`; `shown` if it has none. */
export function limitText({ direction, limit, unit }: Judged): string {
  return limit === undefined ? 'shown' : `${direction} ${withUnit(limit, unit)}`;
}

/** The measured value: `1.04×`. Empty if it was not measured. */
export function valueText({ value, unit }: Judged): string {
  return value === undefined ? '' : withUnit(value, unit);
}

const SIGNS = { 'at most': '≤', below: '<', 'at least': '≥', shown: '' } as const;

/** The limit in a cell of the page, in short form: `≤ 5 s`. */
export function limitCell(judged: Judged): string {
  const { direction, limit, unit } = judged;
  return limit === undefined ? limitText(judged) : `${SIGNS[direction]} ${withUnit(limit, unit)}`;
}

/** The value in a cell of the page. Its unit is left out if the cell of the limit names it. */
export function valueCell(judged: Judged): string {
  const { value, unit, limit } = judged;
  return value === undefined || limit === undefined || unit === 'times'
    ? valueText(judged)
    : withUnit(value, '');
}

/** Whether a target holds, in words. */
export function verdictText({ holds, inEveryRound }: Judged): string {
  switch (holds) {
    case 'yes':
      return inEveryRound ? 'yes' : 'median only';
    case 'no':
      return 'falls short';
    case 'shown':
      return '';
    case 'not measured':
      return 'not measured';
  }
}

/** How many targets hold and how many do not, in a sentence. */
export function summaryText(judged: readonly Judged[]): string {
  const asked = judged.filter(({ limit }) => limit !== undefined);
  const count = (holds: Judged['holds']): number => asked.filter((each) => each.holds === holds).length;
  const rest = [
    `${count('no')} ${count('no') === 1 ? 'falls' : 'fall'} short`,
    `${count('not measured')} ${count('not measured') === 1 ? 'was' : 'were'} not measured`,
  ];
  return `${count('yes')} of ${asked.length} targets hold, ${rest.join(', ')}.`;
}
