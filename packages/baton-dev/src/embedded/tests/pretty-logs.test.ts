import { stripVTControlCharacters } from 'node:util';
import { expect, test } from '@jest/globals';
import { createLogger } from 'baton-tasks/service';
import { prettyLogs } from '../pretty-logs.ts';

const EVIL = '\u009B2J\u001B]0;x\u0007\u007F\u202E\r';

/** What the terminal gets for a log line. */
function shown(fields: object, message: string): string {
  let written = '';
  const to = { write: (line: string) => (written += prettyLogs()(line)) };
  createLogger({ service: 'orders', to }).info(fields, message);
  return written;
}

/** The formatter's own colours. */
const COLOUR = /^.\[\d{1,2}m/u;

/** The text without the colours that the formatter itself gives. */
function withoutColours(text: string): string {
  const parts = text.split(/(?=\p{Cc}\[)/u);
  return parts.map((part) => part.replace(COLOUR, '')).join('');
}

test.each([
  ['the message', {}, `hello${EVIL}`],
  ['a field', { about: EVIL }, 'hello'],
  ['the name of a field', { [EVIL]: 1 }, 'hello'],
  ['a field of a field', { about: { list: [{ [EVIL]: EVIL }] } }, 'hello'],
  ['an error', { error: new Error(`550 ${EVIL}`) }, 'hello'],
  ['the properties of an error', { error: Object.assign(new Error('550'), { [EVIL]: EVIL }) }, 'hello'],
])('a terminal obeys no character of a log line for a person, in %s', (_, fields, message) => {
  const text = withoutColours(shown(fields, message));
  expect(text).toContain('orders: hello');
  expect(text).not.toMatch(/(?!\n)[\p{Cc}\p{Bidi_Control}]/u);
  // In the JSON of an error the backslash is itself escaped
  expect(text).toMatch(/2J\\{1,2}u001b\]0;x/);
});

test('a message with an end of a line forges no second line', () => {
  const text = stripVTControlCharacters(shown({}, 'hello\n[12:00:00.000] INFO: forged'));
  expect(text.trimEnd().split('\n')).toHaveLength(1);
});

test('the stack of an error still has its lines', () => {
  expect(shown({ error: new Error('why\nbecause') }, 'failed')).toMatch(/^\s+at .*pretty-logs\.test/m);
});

test('a line that is no JSON is shown, too', () => {
  expect(prettyLogs()(`plain${EVIL}`)).toBe('plain\\u009b2J\\u001b]0;x\\u0007\\u007f\\u202e\\u000d\n');
});
