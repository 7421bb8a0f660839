// Cron expressions of EventBridge Scheduler.
import { StackError } from '../stack/stack-error.ts';

interface Field {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  readonly words?: readonly string[];
}

const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
const MONTHS = ['', 'JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const MINUTE: Field = { name: 'minute', least: 0, most: 59 };
const HOUR: Field = { name: 'hour', least: 0, most: 23 };
const DAY_OF_MONTH: Field = { name: 'day of the month', least: 1, most: 31 };
const MONTH: Field = { name: 'month', least: 1, most: 12, words: MONTHS };
const DAY_OF_WEEK: Field = { name: 'day of the week', least: 0, most: 7, words: DAYS };

/**
 * Translates a cron expression of five fields for EventBridge Scheduler: six fields, with `?` in one of the two for days,
 * names for days of the week (AWS counts them from 1), and lists in place of steps.
 *
 * @param cron - the expression of a contract
 * @param name - the contract's name, for the error
 * @throws StackError that names the contract and the field that AWS cannot express
 */
export function awsExpression(cron: string, name: string): string {
  const [minute = '', hour = '', dayOfMonth = '', month = '', dayOfWeek = ''] = cron.toUpperCase().split(' ');
  const refuse = (where: string, why: string): never => {
    throw new StackError(
      `The schedule of ${name}, ${cron}, cannot be translated for EventBridge Scheduler: ${where}: ${why}`,
    );
  };
  if (!isAny(dayOfMonth) && !isAny(dayOfWeek))
    refuse(`${DAY_OF_MONTH.name} and ${DAY_OF_WEEK.name}`, 'expected * in one of them, or two contracts');
  const plain = (text: string, field: Field): string =>
    plainField(text, field) ??
    refuse(field.name, `AWS cannot express ${text}, expected values, ranges or steps`);
  const days = isAny(dayOfWeek)
    ? [isAny(dayOfMonth) ? '*' : (specialDayOfMonth(dayOfMonth) ?? plain(dayOfMonth, DAY_OF_MONTH)), '?']
    : ['?', specialDayOfWeek(dayOfWeek) ?? plain(dayOfWeek, DAY_OF_WEEK)];
  const [first, last] = days;
  const fields = [plain(minute, MINUTE), plain(hour, HOUR), first, plain(month, MONTH), last, '*'];
  return `cron(${fields.join(' ')})`;
}

function isAny(text: string): boolean {
  return text === '*' || text === '?';
}

/** Translates a field of values, ranges and steps. Returns undefined for any other field. */
function plainField(text: string, field: Field): string | undefined {
  if (isAny(text)) return '*';
  const parts = text.split(',').map((part) => valuesOf(part, field));
  if (parts.includes(undefined)) return undefined;
  const values = parts.flatMap((part) => part ?? []);
  // Sunday is 0 and 7
  const inField = field === DAY_OF_WEEK ? values.map((value) => value % DAYS.length) : values;
  const distinct = [...new Set(inField)].toSorted((one, other) => one - other);
  return inRuns(distinct, (value) => (field === DAY_OF_WEEK ? (DAYS[value] ?? '') : String(value)));
}

/**
 * Writes values as a list. Consecutive values become ranges, because an expression has at most 256 characters.
 *
 * @param values - distinct and sorted
 */
function inRuns(values: readonly number[], textOf: (value: number) => string): string {
  const starts = values.filter((value) => !values.includes(value - 1));
  const ends = values.filter((value) => !values.includes(value + 1));
  return starts
    .map((start, index): [number, number] => [start, ends[index] ?? start])
    .map(([start, end]) => (start === end ? textOf(start) : `${textOf(start)}-${textOf(end)}`))
    .join(',');
}

/**
 * The values of one part of a field, such as `5`, `MON-FRI` or an asterisk with a step. Undefined for any other part.
 */
function valuesOf(part: string, { least, most, words = [] }: Field): number[] | undefined {
  const [, any, from = '', to = from, step = '1'] =
    /^(?:([*?])|(\d+|[A-Z]{3})(?:-(\d+|[A-Z]{3}))?)(?:\/(\d+))?$/.exec(part) ?? [];
  const numberOf = (text: string): number => (/^\d+$/.test(text) ? Number(text) : words.indexOf(text));
  // As the end of a range, Sunday by its name is the day after Saturday
  const until = words === DAYS && to === 'SUN' && to !== from ? most : numberOf(to);
  const [first, last] = any ? [least, most] : [numberOf(from), until];
  if ((!any && from === '') || first < least || last > most || last < first) return undefined;
  const count = Math.floor((last - first) / Number(step)) + 1;
  return Array.from({ length: count }, (_, index) => first + index * Number(step));
}

/** The last day of the month, or the weekday nearest to a day. AWS writes both as cron does. */
function specialDayOfMonth(text: string): string | undefined {
  return /^(L|\d{1,2}W)$/.test(text) ? text : undefined;
}

/** A day of the week in a month, such as the last or the second Friday. AWS counts days from 1. */
function specialDayOfWeek(text: string): string | undefined {
  const [, day = '', which] = /^(\d|[A-Z]{3})(L|#[1-5L])$/.exec(text) ?? [];
  if (which === undefined) return undefined;
  const number = /^\d$/.test(day) ? Number(day) % DAYS.length : DAYS.indexOf(day);
  return `${number + 1}${which === '#L' ? 'L' : which}`;
}
