// Reads a process's configuration from its environment variables.
import { readFileSync } from 'node:fs';
import * as z from 'zod';

/** A file that holds a secret has a path that is none. */
const SECRET_NAME = /^(?!.*_FILE$).*(?:SECRET|PASSWORD|TOKEN|CREDENTIAL|ACCESS_KEY|SIGNING_KEY)|_URL$/;
const MAX_SHOWN_CHARACTERS = 80;

/** A process's environment. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment is wrong. The message has a line for each wrong variable: its name, its value and what is allowed. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * Reads the variables of `schema` from the environment. Call it once, at the start of a process.
 *
 * An empty variable counts as not set, so `NAME=` in a file gives the default. The error message masks values of variables
 * whose names look secret, and the user and password of URLs.
 *
 * @throws ConfigError that names every missing or wrong variable
 */
export function parseConfig<Schema extends z.ZodType>(
  schema: Schema,
  environment: Environment,
): z.output<Schema> {
  return parseConfigs([schema], environment)[0];
}

/**
 * Reads the variables of several schemas at once, so that one message names every wrong variable. Returns the outputs in
 * the order of the schemas.
 *
 * @param secrets - the names of variables whose values the message masks, beside those that look secret
 * @throws ConfigError as `parseConfig`
 */
export function parseConfigs<const Schemas extends readonly z.ZodType[]>(
  schemas: Schemas,
  environment: Environment,
  secrets: readonly string[] = [],
): { readonly [Index in keyof Schemas]: z.output<Schemas[Index]> } {
  const set = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = schemas.map((schema) => schema.safeParse(set));
  const issues = parsed.flatMap(({ error }) => error?.issues ?? []);
  if (issues.length === 0) return parsed.map(({ data }) => data) as never;
  const lines = issues.map((issue) => {
    const name = String(issue.path[0] ?? '(environment)');
    const inside = issue.path.slice(1).join('.');
    const held =
      secrets.includes(name) && set[name] !== undefined ? 'held "***"' : describeHeld(name, set[name]);
    return `  ${name} ${held}: ${inside ? `${inside}: ` : ''}${issue.message}`;
  });
  throw new ConfigError(`The environment has wrong variables:\n${[...new Set(lines)].join('\n')}`);
}

/**
 * Runs `read`. If the environment is wrong, prints the message without a stack and ends the process with status 1.
 */
export function orExit<Config>(read: () => Config): Config {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}

function describeHeld(name: string, value: string | undefined): string {
  if (value === undefined) return 'is not set';
  return `held ${JSON.stringify(mask(name, value).slice(0, MAX_SHOWN_CHARACTERS))}`;
}

function mask(name: string, value: string): string {
  if (!SECRET_NAME.test(name)) return value;
  if (!name.endsWith('_URL')) return '***';
  // A value that is not a URL may be a password
  return /^[a-z0-9+.-]+:\/\//i.test(value) ? value.replace(/^([^:]+:\/\/).*@/s, '$1***@') : '***';
}

/** A whole number from `minimum` to `maximum`. Default: `initial`. */
export function wholeNumber(minimum: number, maximum: number, initial: number) {
  const allowed = `expected a whole number from ${minimum} to ${maximum}`;
  return z
    .string()
    .regex(/^\d{1,15}$/, { error: allowed })
    .transform(Number)
    .refine((value) => value >= minimum && value <= maximum, { error: allowed })
    .default(initial);
}

/** A TCP port. Default: `initial`. */
export function port(initial: number) {
  return wholeNumber(1, 65_535, initial);
}

/** One of several words. Default: `initial`. */
export function oneOf<const Word extends string>(words: readonly [Word, ...Word[]], initial: NoInfer<Word>) {
  return z.enum(words, { error: `expected one of ${words.join(', ')}` }).default(initial as never);
}

/** A required text. The error message says `expected`, followed by `meaning`. */
export function text(meaning: string) {
  return z.string({ error: `expected ${meaning}` }).min(1, { error: `expected ${meaning}` });
}

/** The text in a file, without spaces around it. An orchestrator writes it before the process starts. */
export function textFile() {
  return z.string().transform((path, context) => {
    try {
      return readFileSync(path, 'utf8').trim();
    } catch (error) {
      context.addIssue({ code: 'custom', message: `cannot be read: ${(error as Error).message}` });
      return z.NEVER;
    }
  });
}

/** The URL of an AWS emulator. The AWS SDK reads the variable itself; it is checked here so that a bad one stops the start. */
export function endpoint() {
  return z.url({ protocol: /^https?$/, error: 'expected a URL such as http://127.0.0.1:4566' }).optional();
}

/** The table of the task store, for processes that send or run tracked tasks. */
export const tasksTable = text('the name of the table of the task store');

/** The variables that every process reads. */
export const sharedVariables = {
  AWS_REGION: text('a region of AWS, such as us-east-1'),
  AWS_ENDPOINT_URL: endpoint(),
  AWS_ENDPOINT_URL_SQS: endpoint(),
  AWS_ENDPOINT_URL_DYNAMODB: endpoint(),
  AWS_ENDPOINT_URL_LAMBDA: endpoint(),
  AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoint(),
  /** The revision of the code that the process was built from. Images set it. */
  REVISION: text('the revision of the code, such as a commit')
    .max(128, { error: 'expected at most 128 characters' })
    .default('unknown'),
  /**
   * How long messages of an unknown task are released before they become dead letters, in seconds. The deploy that brings
   * the task may take hours, or wait for a person. At most 5 days, because SQS keeps messages for 7.
   */
  UNKNOWN_TASK_PATIENCE_SECONDS: wholeNumber(0, 432_000, 21_600),
  LOG_LEVEL: oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], 'info'),
  QUEUE_URL_PREFIX: text(
    'the part of a queue URL before the queue name, such as https://sqs.eu-central-1.amazonaws.com/123456789012/baton-dev-',
  ).regex(/^https?:\/\/.+\/[^/]*$/, { error: 'expected a URL up to the name of the queue' }),
};
