// The names of services.
import { randomUUID } from 'node:crypto';

/** A service cannot be made. The message says what is wrong and what is expected. */
export class NewServiceError extends Error {
  override readonly name = 'NewServiceError';
}

const PLURAL = /^[a-z][a-z0-9]{2,19}$/;
const SINGULAR = /^[a-z][a-z0-9]{1,19}$/;
const ES = /(ss|x|z|ch|sh)es$/;
/** The reserved words of JavaScript, which cannot be names. The last two only in modules. */
const RESERVED: ReadonlySet<string> = new Set(
  `as await break case catch class const continue debugger default delete do else enum export extends false finally for
  function if implements import in instanceof interface let new null package private protected public return static super
  switch this throw true try typeof undefined var void while with yield eval arguments`.split(/\s+/),
);

/** The name of a service. */
export interface ServiceName {
  /** What it keeps, such as `payments`. */
  readonly plural: string;
  /** One of them, such as `payment`. */
  readonly singular: string;
}

/**
 * Reads the name of a service: the resource that it keeps, in the plural.
 *
 * @param singular - the singular. Default: derived from the plural
 * @throws NewServiceError that says what is wrong and what is expected
 */
export function readServiceName(plural: string, singular = singularOf(plural)): ServiceName {
  const refuse = (given: string, expected: string): never => {
    throw new NewServiceError(
      `${JSON.stringify(given)} cannot be the name of a service: expected ${expected}`,
    );
  };
  if (!PLURAL.test(plural))
    refuse(plural, '3 to 20 lower-case letters and digits, a letter first, such as payments');
  if (RESERVED.has(plural)) refuse(plural, 'a word that code can use, such as payments');
  if (plural.endsWith('service')) refuse(plural, 'what it keeps, such as payments, without "service"');
  if (singular === plural)
    refuse(plural, 'a plural, such as payments, or one of them beside it: --singular payment');
  if (!SINGULAR.test(singular) || RESERVED.has(singular))
    refuse(
      singular,
      'a word that code can use, of 2 to 20 lower-case letters and digits: --singular payment',
    );
  return { plural, singular };
}

function singularOf(plural: string): string {
  if (plural.endsWith('ies')) return `${plural.slice(0, -3)}y`;
  if (ES.test(plural)) return plural.slice(0, -2);
  return plural.endsWith('s') && !plural.endsWith('ss') ? plural.slice(0, -1) : plural;
}

/** Replaces samples in a text by the service's resource, and the example's id by a new one. */
export function renamed(text: string, { plural, singular }: ServiceName): string {
  const article = /^[aeiou]/.test(singular) ? 'n' : '';
  return text
    .replaceAll(/\b([Aa]) (?=(new )?sample\b)/g, (all, a: string, isNew?: string) =>
      isNew === undefined ? `${a}${article} ` : all,
    )
    .replaceAll('00000000-0000-4000-8000-000000000000', randomUUID())
    .replaceAll('samples', plural)
    .replaceAll('Samples', capitalized(plural))
    .replaceAll('SAMPLES', plural.toUpperCase())
    .replaceAll('sample', singular)
    .replaceAll('Sample', capitalized(singular));
}

function capitalized(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1);
}
