import { type DestinationStream, type Logger as PinoLogger, pino, stdTimeFunctions, symbols } from 'pino';

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
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return to ? pino(options, to) : pino(options);
}

/** Writes a line that a logger elsewhere has made, in a thread, to where `logger` writes its own. */
export function writeLine(logger: Logger, line: string): void {
  (logger as Logger & { readonly [symbols.streamSym]: DestinationStream })[symbols.streamSym].write(line);
}
