import { type DestinationStream, type Logger as PinoLogger, pino, stdSerializers, symbols } from 'pino';

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

/** An error's message and stack are cut to this; causes are in them. */
const MAX_TEXT_CHARACTERS = 8000;
/** Larger properties of an error are left out: Node keeps the bytes of a broken HTTP answer in one. */
const MAX_PROPERTY_CHARACTERS = 1000;

interface SerializedError {
  readonly type: string;
  readonly message: string;
  readonly stack?: string;
}

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
 * the type, message, stack and cause.
 *
 * What a task brings along (payloads, recipients) does not belong in a log; identifiers do.
 */
export function createLogger({ service, level = 'info', to = destination }: LoggerOptions): Logger {
  const options = {
    level,
    base: { service },
    messageKey: 'message',
    errorKey: 'error',
    serializers: { error: errorFields },
    timestamp: isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return to ? pino(options, to) : pino(options);
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

/** What a line says of an error: enough to find its cause, and never a whole answer that a broker sent. */
function errorFields(error: unknown): unknown {
  // What comes out of a thread looks like an error and need not be one
  if (typeof (error as Partial<Error> | undefined)?.message !== 'string') return error;
  const { type, message, stack, ...rest } = stdSerializers.err(error as Error) as SerializedError;
  const small = Object.entries(rest).filter(([, value]) => sizeOf(value) <= MAX_PROPERTY_CHARACTERS);
  return {
    // In a bundle, its class may have another name
    type: (error as Partial<Error>).name ?? type,
    message: message.slice(0, MAX_TEXT_CHARACTERS),
    stack: stack?.slice(0, MAX_TEXT_CHARACTERS),
    ...Object.fromEntries(small),
  };
}

function sizeOf(value: unknown): number {
  try {
    return (JSON.stringify(value) ?? '').length;
  } catch {
    return Infinity;
  }
}

/** Writes a line that a logger elsewhere has made, in a thread, to where `logger` writes its own. */
export function writeLine(logger: Logger, line: string): void {
  (logger as Logger & { readonly [symbols.streamSym]: DestinationStream })[symbols.streamSym].write(line);
}
