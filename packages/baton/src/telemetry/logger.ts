// Loggers of JSON lines.
import { type DestinationStream, type LogFn, type Logger as PinoLogger, pino, symbols } from 'pino';
import { flushLogs, standardOutput } from './standard-output.ts';
import { readThrown, textOf, type Thrown } from './thrown.ts';

/** A logger of JSON lines. `child` makes a logger that adds fields to each of its lines. */
export type Logger = PinoLogger;

/** Configures a logger. */
export interface LoggerOptions {
  /** The service's name: the field `service` of every line. */
  readonly service: string;
  /** The lowest level that is written. Default `info`. */
  readonly level?: string;
  /** Where the lines go. Default: the stream given to `writeLogsTo`, else standard output. */
  readonly to?: DestinationStream;
}

/** An error's message and stack are cut to this length. They include those of its causes. */
const MAX_TEXT_CHARACTERS = 8000;
/** Larger properties of an error are left out. */
const MAX_PROPERTY_CHARACTERS = 1000;

/** The control characters that JSON lets stand as they are. A terminal may obey them. */
const CONTROLS = /[\u007F-\u009F]/g;

let destination: DestinationStream | undefined;

/**
 * Makes every logger that is created from now on write to `stream`. The default is standard output, which containers
 * need. The embedded runtime formats the lines for a person instead.
 */
export function writeLogsTo(stream: DestinationStream): void {
  destination = stream;
}

/**
 * Makes a process's logger. Each event is a JSON line with level, time (ISO 8601), service and message. Errors are
 * written with type, message, stack and causes. Logging never throws, whatever it is given.
 *
 * Log identifiers. Do not log what tasks carry, such as payloads and recipients.
 */
export function createLogger({ service, level = 'info', to }: LoggerOptions): Logger {
  const options = {
    level,
    base: { service },
    messageKey: 'message',
    errorKey: 'error',
    // pino's own serializer of `err` writes to the error, which throws if that is frozen
    serializers: { error: errorFields, err: errorFields, message: textOf },
    hooks: { logMethod: logSafely, streamWrite: withoutControls },
    timestamp: isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return pino(options, to ?? destination ?? standardOutput({ service }));
}

let timeAtMs = 0;
let time = '';

/** The member `time` of a line. Kept for a millisecond, because formatting a date costs as much as the rest of a line. */
function isoTime(): string {
  const nowMs = Date.now();
  if (nowMs !== timeAtMs) {
    timeAtMs = nowMs;
    time = `,"time":"${new Date(nowMs).toISOString()}"`;
  }
  return time;
}

/** Writes control characters as JSON escapes, such as `\u009b`: the line means the same. */
function withoutControls(line: string): string {
  return line.replaceAll(CONTROLS, (character) => `\\u00${character.charCodeAt(0).toString(16)}`);
}

/**
 * Writes a line. If its fields cannot be read, such as those of a revoked Proxy, it writes a line that says so: logging an
 * error must not cause another error.
 */
function logSafely(this: Logger, args: Parameters<LogFn>, method: LogFn): void {
  try {
    method.apply(this, args);
  } catch (error) {
    const text = args.find((each) => typeof each === 'string') ?? 'log line could not be written';
    const [about] = args as unknown[];
    method.call(this, { error: about ?? error, unwritable: readThrown(error).message }, text);
  }
}

/** The fields of an error in a line: enough to find its cause, but never a whole answer of a broker. */
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

/** Joins a text of an error and those of its causes. */
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

/** Writes a line that a logger in a thread has made to where `logger` writes its own. */
export function writeLine(logger: Logger, line: string): void {
  (logger as Logger & { readonly [symbols.streamSym]: DestinationStream })[symbols.streamSym].write(line);
}

/** How long a stalled reader may keep a process from ending. */
const FLUSH_MS = 500;

/**
 * Writes a line of level `fatal`, and all lines that wait before it, before it returns. For a process that is about to
 * end. Takes at most half a second.
 */
export function logFatal(logger: Logger, fields: object, message: string): void {
  logger.fatal(fields, message);
  flushLogs(FLUSH_MS);
}
