import { type DestinationStream, type LogFn, type Logger as PinoLogger, pino, symbols } from 'pino';
import { flushLogs, standardOutput } from './standard-output.ts';
import { readThrown, textOf, type Thrown } from './thrown.ts';

/** A logger of JSON lines; `child` adds fields to every line of its own. */
export type Logger = PinoLogger;

/** What a process logs. */
export interface LoggerOptions {
  /** The service's name, on every line. */
  readonly service: string;
  /** The lowest level that is written. Default `info`. */
  readonly level?: string;
  /** Where the lines go. Default: standard output, or where `writeLogsTo` says. */
  readonly to?: DestinationStream;
}

/** An error's message and stack are cut to this; those of its causes are in them. */
const MAX_TEXT_CHARACTERS = 8000;
/** Larger properties of an error are left out. */
const MAX_PROPERTY_CHARACTERS = 1000;

let destination: DestinationStream | undefined;

/**
 * Sends the lines of every logger made from now on to `stream`. The default is standard output, as it has to be in
 * a container; the embedded runtime shows them to a person instead.
 */
export function writeLogsTo(stream: DestinationStream): void {
  destination = stream;
}

/**
 * Makes a process's logger: a JSON line an event, with level, time (ISO 8601), service and message, and of errors
 * the type, message, stack and cause. Whatever is given to it, a line never throws.
 *
 * What a task brings along (payloads, recipients) does not belong in a log; identifiers do.
 */
export function createLogger({ service, level = 'info', to }: LoggerOptions): Logger {
  const options = {
    level,
    base: { service },
    messageKey: 'message',
    errorKey: 'error',
    // `err` is pino's own name for it, whose serializer writes to the error: a frozen one would throw
    serializers: { error: errorFields, err: errorFields, message: textOf },
    hooks: { logMethod: logSafely },
    timestamp: isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return pino(options, to ?? destination ?? standardOutput({ service }));
}

let timeAtMs = 0;
let time = '';

/** The member `time` of a line. Many are written within a millisecond, and writing a date out costs as much as the rest. */
function isoTime(): string {
  const nowMs = Date.now();
  if (nowMs !== timeAtMs) {
    timeAtMs = nowMs;
    time = `,"time":"${new Date(nowMs).toISOString()}"`;
  }
  return time;
}

/**
 * Writes a line. Where its fields cannot be read, such as those of a Proxy that was revoked, it says so: what a handler
 * logs of an error must not become another error.
 */
function logSafely(this: Logger, args: Parameters<LogFn>, method: LogFn): void {
  try {
    method.apply(this, args);
  } catch (error) {
    const text = args.find((each) => typeof each === 'string') ?? 'a line could not be written';
    const [about] = args as unknown[];
    method.call(this, { error: about ?? error, unwritable: readThrown(error).message }, text);
  }
}

/** What a line says of an error: enough to find its cause, and never a whole answer that a broker sent. */
function errorFields(error: unknown): object {
  const { name, errors, properties, ...thrown } = readThrown(error);
  const small = Object.entries(properties).filter(([, value]) => sizeOf(value) <= MAX_PROPERTY_CHARACTERS);
  return {
    type: name,
    message: withCauses(thrown, ': ', ({ message }) => message) ?? '',
    stack: withCauses(thrown, '\ncaused by: ', ({ stack }) => stack),
    ...(errors && {
      errors: errors.map((each) => `${each.name}: ${each.message}`.slice(0, MAX_PROPERTY_CHARACTERS)),
    }),
    ...Object.fromEntries(small),
  };
}

type Caused = Pick<Thrown, 'message' | 'stack' | 'cause'>;

/** A text of an error and those of its causes. */
function withCauses(
  thrown: Caused,
  separator: string,
  part: (error: Caused) => string | undefined,
): string | undefined {
  const texts: (string | undefined)[] = [];
  for (let next: Caused | undefined = thrown; next; next = next.cause) texts.push(part(next));
  return (
    texts
      .filter((text) => text !== undefined)
      .join(separator)
      .slice(0, MAX_TEXT_CHARACTERS) || undefined
  );
}

function sizeOf(value: unknown): number {
  return (JSON.stringify(value) ?? '').length;
}

/** Writes a line that a logger elsewhere has made, in a thread, to where `logger` writes its own. */
export function writeLine(logger: Logger, line: string): void {
  (logger as Logger & { readonly [symbols.streamSym]: DestinationStream })[symbols.streamSym].write(line);
}

/** How long a reader that stalls may keep a process from ending. */
const FLUSH_MS = 500;

/**
 * Writes a line of level `fatal`, and all that waits to be written before it, before it returns: what a process says when
 * it is about to end. Gives up after half a second.
 */
export function writeLastWords(logger: Logger, fields: object, message: string): void {
  logger.fatal(fields, message);
  flushLogs(FLUSH_MS);
}
