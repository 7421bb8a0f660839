import type { Judged } from '../target.ts';
import { withUnit } from './figure-text.ts';

/** The limit of a target: `at most 1.1 times`; of one that has none, that it is shown. */
export function limitText({ direction, limit, unit }: Judged): string {
  return limit === undefined ? 'shown' : `${direction} ${withUnit(limit, unit)}`;
}

/** What was seen: `1.04 times`; nothing where it was not measured. */
export function valueText({ value, unit }: Judged): string {
  return value === undefined ? '' : withUnit(value, unit);
}

/** Whether a target holds, in words; short falls are told apart by `Judged.holds`. */
export function verdictText({ holds, inEveryRound, why = '' }: Judged): string {
  switch (holds) {
    case 'yes':
      return inEveryRound ? 'yes' : 'yes, not in every round';
    case 'no':
      return 'falls short';
    case 'shown':
      return '';
    case 'not measured':
      return `not measured: ${why}`;
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
