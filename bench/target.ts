import type { Absence, Results } from './results.ts';
import { type Choice, roundsOf } from './series.ts';
import { roundByRound, type Spread, spreadOf } from './statistics.ts';

/** How a value compares with the limit. `shown`: there is no limit. */
export type Direction = 'at most' | 'below' | 'at least' | 'shown';

/** A performance target of Baton. */
export interface Target {
  /** The same in every run: `drain-cpu-raw-loop-fauxqs`. */
  readonly id: string;
  /** Its text on the page, without the limit. */
  readonly text: string;
  /** The unit of the value and the limit: `times` for a ratio. */
  readonly unit: string;
  readonly direction: Direction;
  /** Absent if the value is only shown. */
  readonly limit?: number | undefined;
  /** The samples that give the value, round by round. */
  readonly choices: readonly Choice[];
  /** Combines the selected values of one round. */
  readonly combine: (...values: readonly number[]) => number;
}

/** A target with its result in one run. */
export interface Judged extends Target {
  /** The median of the rounds. Absent if it was not measured. */
  readonly value?: number | undefined;
  readonly spread?: Spread | undefined;
  readonly holds: 'yes' | 'no' | 'shown' | 'not measured';
  /** Whether every round holds, not only the median. */
  readonly inEveryRound: boolean;
  /** Why it was not measured. */
  readonly why?: string | undefined;
}

/** The results of a run that targets use. */
export type Found = Pick<Results, 'samples' | 'absent'>;

/** Judges whether a target holds, by the median of its rounds. */
export function judge(target: Target, { samples, absent }: Found): Judged {
  const { choices, combine } = target;
  const series = choices.map((choice) => roundsOf(samples, choice));
  const lacking = choices.find((_, place) => series[place]?.size === 0);
  if (lacking) return unmeasured(target, whyLacking(lacking, absent));
  const values = [...roundByRound(series, combine).values()];
  if (values.length === 0) return unmeasured(target, 'never taken in the same round');
  if (!values.every(Number.isFinite)) return unmeasured(target, 'the samples give no finite number');
  const spread = spreadOf(values);
  return {
    ...target,
    value: spread.median,
    spread,
    holds: target.limit === undefined ? 'shown' : isWithin(target, spread.median) ? 'yes' : 'no',
    inEveryRound: values.every((value) => isWithin(target, value)),
  };
}

/** Whether a value is within a target's limit. */
function isWithin({ direction, limit = Number.NaN }: Target, value: number): boolean {
  switch (direction) {
    case 'at most':
      return value <= limit;
    case 'below':
      return value < limit;
    case 'at least':
      return value >= limit;
    case 'shown':
      return true;
  }
}

function unmeasured(target: Target, why: string): Judged {
  return { ...target, holds: 'not measured', inEveryRound: false, why };
}

function whyLacking({ measure, figure, contender, broker, at }: Choice, absent: readonly Absence[]): string {
  const absence = absent.find(
    (each) =>
      each.contender === contender && (each.broker === undefined || !broker || each.broker === broker),
  );
  if (absence) return `${absence.contender} is absent: ${absence.reason}`;
  const words = [`no ${figure} of ${measure}`];
  if (contender) words.push(`by ${contender}`);
  if (broker) words.push(`on ${broker}`);
  if (at !== undefined) words.push(`at ${at}`);
  return words.join(' ');
}

/** A direction with its limit. */
export type Limit = readonly [direction: Exclude<Direction, 'shown'>, limit: number] | readonly ['shown'];

/** A target for the ratio of two figures in the same round. */
export function ratioTarget(
  id: string,
  text: string,
  limit: Limit,
  dividend: Choice,
  divisor: Choice,
): Target {
  const combine = (a = Number.NaN, b = Number.NaN): number => a / b;
  return targetOf(id, text, 'times', limit, [dividend, divisor], combine);
}

/** A target for the difference of two figures in the same round. */
export function differenceTarget(
  id: string,
  text: string,
  unit: string,
  limit: Limit,
  a: Choice,
  b: Choice,
): Target {
  return targetOf(id, text, unit, limit, [a, b], (first = Number.NaN, second = Number.NaN) => first - second);
}

/** A target for one figure. */
export function figureTarget(id: string, text: string, unit: string, limit: Limit, choice: Choice): Target {
  return targetOf(id, text, unit, limit, [choice], (value = Number.NaN) => value);
}

/** Makes a target. Its id ends with the broker, if there is one. */
function targetOf(
  id: string,
  text: string,
  unit: string,
  [direction, limit]: Limit,
  choices: readonly Choice[],
  combine: Target['combine'],
): Target {
  const broker = choices.find((each) => each.broker !== 'redis')?.broker;
  return { id: broker ? `${id}-${broker}` : id, text, unit, direction, limit, choices, combine };
}
