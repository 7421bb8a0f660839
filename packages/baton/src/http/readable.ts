// Texts that people read.
import type * as z from 'zod';

/** Control characters (Unicode: Cc), and halves of characters (Cs), which no UTF-8 has. */
const UNREADABLE = /[\p{Cc}\p{Cs}]/u;
/** The same, except the ends of lines and tabs. */
const UNREADABLE_IN_LINES = /[^\P{Cc}\t\n\r]|\p{Cs}/u;

/**
 * Makes a schema of requests refuse control characters in all its strings: they could forge the lines of logs, mails and
 * terminals, and each takes seven bytes in an answer.
 *
 * @param lines - the names of members whose texts have lines: they may have ends of lines and tabs
 */
export function readable<Schema extends z.ZodType>(
  schema: Schema,
  { lines = [] }: { readonly lines?: readonly string[] } = {},
): Schema {
  return schema.superRefine((value, context) => {
    for (const path of unreadable(value, lines, []))
      context.addIssue({ code: 'custom', path: [...path], message: 'expected no control characters' });
  });
}

type Path = readonly (string | number)[];

/** The places of texts with control characters. The schema has bounded how deep a value is. */
function unreadable(value: unknown, lines: readonly string[], path: Path): Path[] {
  if (typeof value === 'string') {
    const name = path.findLast((each) => typeof each === 'string');
    const hasLines = name !== undefined && lines.includes(name);
    return (hasLines ? UNREADABLE_IN_LINES : UNREADABLE).test(value) ? [path] : [];
  }
  if (Array.isArray(value)) return value.flatMap((each, index) => unreadable(each, lines, [...path, index]));
  if (typeof value !== 'object' || value === null) return [];
  const names = Object.keys(value).some((name) => UNREADABLE.test(name)) ? [path] : [];
  const members = Object.entries(value).flatMap(([name, each]) => unreadable(each, lines, [...path, name]));
  return names.concat(members);
}
