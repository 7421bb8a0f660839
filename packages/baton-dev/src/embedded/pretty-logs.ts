// The log lines of the embedded runtime, for a person.
import { prettyFactory } from 'pino-pretty';
import { printable, printableLines } from '../terminal/printable.ts';

/** The members that are shown as they are. All others are shown as JSON, in which an end of a line is an escape. */
const SHOWN_AS_TEXT: ReadonlySet<string> = new Set(['message', 'service', 'level', 'time']);

/** Makes a function that turns a JSON line of a log into a line for a terminal, which obeys no character of the log's. */
export function prettyLogs(): (line: string) => string {
  const pretty = prettyFactory({
    colorize: true,
    messageKey: 'message',
    errorLikeObjectKeys: ['error'],
    ignore: 'pid,hostname,service,requestId,traceId,taskId,messageId,worker,task,queue',
    translateTime: 'SYS:HH:MM:ss.l',
    messageFormat: '{service}: {message}',
    singleLine: true,
  });
  return (line) => {
    try {
      const entries = Object.entries(JSON.parse(line, safeValue) as object).map(([name, value]) =>
        SHOWN_AS_TEXT.has(name) && typeof value === 'string' ? [name, printable(value)] : [name, value],
      );
      return pretty(JSON.stringify(Object.fromEntries(entries)));
    } catch {
      return `${printableLines(line)}\n`;
    }
  };
}

/** Makes the texts in a value, and the names of its members, printable. */
function safeValue(_: string, value: unknown): unknown {
  if (typeof value === 'string') return printableLines(value);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [printable(name), each]));
}
