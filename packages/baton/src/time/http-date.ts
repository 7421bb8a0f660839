// Dates of HTTP headers (RFC 9110, section 5.6.7).

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const DAY = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)';
const LONG_DAY = '(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day';
const MONTH = `(?<month>${MONTHS.join('|')})`;
const TIME = String.raw`(?<time>\d{2}:\d{2}:\d{2})`;

/** The three forms of an HTTP date: IMF-fixdate, and the obsolete ones of RFC 850 and of asctime. */
const FORMS = [
  String.raw`${DAY}, (?<day>\d{2}) ${MONTH} (?<year>\d{4}) ${TIME} GMT`,
  String.raw`${LONG_DAY}, (?<day>\d{2})-${MONTH}-(?<year>\d{2}) ${TIME} GMT`,
  String.raw`${DAY} ${MONTH} (?<day>[ \d]\d) ${TIME} (?<year>\d{4})`,
].map((form) => new RegExp(`^${form}$`));

/**
 * Reads an HTTP date. Returns milliseconds since 1970, or undefined if the text has none of the three forms of the RFC. All
 * of them are UTC. (`Date.parse` accepts other forms too, and reads a date without a zone as local time.)
 *
 * @param nowMs - now, in milliseconds since 1970; decides the century of a two-digit year
 */
export function httpDateMs(text: string, nowMs: number): number | undefined {
  const groups = FORMS.map((form) => form.exec(text)?.groups).find((found) => found);
  if (!groups) return undefined;
  const { month = '', year = '', time = '' } = groups;
  const day = Number(groups['day']);
  const [hours = 0, minutes = 0, seconds = 0] = time.split(':').map(Number);
  // 60 is a leap second
  if (hours > 23 || minutes > 59 || seconds > 60) return undefined;
  const date = new Date(0);
  const fullYear = year.length === 2 ? fullYearOf(Number(year), nowMs) : Number(year);
  date.setUTCFullYear(fullYear, MONTHS.indexOf(month), day);
  // Date turns 31 February into a day in March
  if (date.getUTCDate() !== day) return undefined;
  return date.setUTCHours(hours, minutes, seconds);
}

/** A two-digit year that would be more than 50 years ahead is in the past (RFC 9110, section 5.6.7). */
function fullYearOf(year: number, nowMs: number): number {
  const thisYear = new Date(nowMs).getUTCFullYear();
  const inThisCentury = thisYear - (thisYear % 100) + year;
  return inThisCentury > thisYear + 50 ? inThisCentury - 100 : inThisCentury;
}
