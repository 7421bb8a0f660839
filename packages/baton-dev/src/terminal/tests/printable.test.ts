import { expect, test } from '@jest/globals';
import { StackError } from '../../stack/stack-error.ts';
import { printable, printableLines } from '../printable.ts';

/** Characters that a terminal obeys, or that turn what a line seems to say. */
const OBEYED = ['\u0000', '\u0007', '\r', '\u001B', '\u007F', '\u0085', '\u009B', '\u009D'].concat([
  '\u2028',
  '\u2029',
  '\u061C',
  '\u200E',
  '\u202E',
  '\u2066',
  '\u2069',
  '\uD800',
  '\uDFFF',
]);

test.each([printable, printableLines])('%p shows each character that a terminal would obey', (safe) => {
  for (const character of OBEYED) {
    const code = character.charCodeAt(0).toString(16).padStart(4, '0');
    expect(safe(`a${character}b`)).toBe(`a\\u${code}b`);
  }
});

test('ends of lines and tabs stay in a text that has lines, and nowhere else', () => {
  expect(printable('a\n\tb')).toBe('a\\u000a\\u0009b');
  expect(printableLines('a\n\tb\r\nc')).toBe('a\n\tb\nc');
});

test('texts of all languages stay as they are', () => {
  const text = 'M\u00FCller \u7528\u6237 \u05D0\u05D1 \u{1F469}\u200D\u{1F4BB} \u00A0 ┌─┐ "\\"';
  expect(printable(text)).toBe(text);
  expect(printableLines(text)).toBe(text);
});

test('JSON keeps its meaning', () => {
  const value = { text: OBEYED.join('') };
  expect(JSON.parse(printable(JSON.stringify(value)))).toEqual(value);
});

test('an error of a deploy shows the characters in the parameter that it names', () => {
  expect(new StackError('smtp\u009B2J: unknown\n  next line').message).toBe(
    'smtp\\u009b2J: unknown\n  next line',
  );
});
