import { expect, test } from '@jest/globals';
import { letterOf } from '../letter.ts';
import { jsonOf, tableOf } from '../lines.ts';

const details = {
  error: 'RangeError',
  message: `no\n${'x'.repeat(80)}`,
  attempts: 3,
  deadAt: '2026-11-29T10:00:00.000Z',
};
const text = (StringValue: string) => ({ DataType: 'String', StringValue });
const at = (time: string): number => Date.parse(time);

test.each([
  ['2026-11-29T10:00:08.000Z', '8 s'],
  ['2026-11-29T10:12:00.000Z', '12 min'],
  ['2026-11-29T15:12:00.000Z', '5 h 12 min'],
  ['2026-12-02T14:00:00.000Z', '3 d 4 h'],
])('a table has a line for each dead letter, with its age: at %s it is %s', (now, age) => {
  const attributes = { 'baton.reason': text('rejected'), 'baton.details': text(JSON.stringify(details)) };
  const letter = letterOf({ Body: 'no task', MessageAttributes: attributes }, 'orders');
  const [, head, row, ...rest] = tableOf([{ letter, became: 'twice' }], at(now)).split('\n');
  expect(head).toMatch(/task .* task id .* reason .* error .* attempts .* age .* became/);
  expect(row).toMatch(
    new RegExp(`- .* - .* rejected .* RangeError: no x+… .* 3 .* ${age} .* put back, and kept`),
  );
  expect(rest).toHaveLength(1);
});

test.each(['', '{', 'null', '[]', '{"attempts":"many","deadAt":"yesterday","lane":7,"error":null}'])(
  'with invalid details (%j) a dead letter has only the data from SQS',
  (json) => {
    const message = { MessageId: 'm-1', Body: '{', Attributes: { SentTimestamp: '0' } };
    const letter = letterOf({ ...message, MessageAttributes: { 'baton.details': text(json) } }, 'orders');
    expect(letter).toMatchObject({ queue: 'orders', reason: 'none', deadAt: '1970-01-01T00:00:00.000Z' });
    expect([letter.attempts, letter.error, letter.taskId]).toEqual([undefined, undefined, undefined]);
  },
);

test('a terminal obeys no character of a dead letter, in a table or in JSON', () => {
  const evil = '\u009B2J\u001B]0;x\u0007\u007F\u202E';
  const json = JSON.stringify({ error: evil, message: evil, lane: evil, attempts: 1 });
  const attributes = { 'baton.reason': text(evil), 'baton.details': text(json) };
  const body = JSON.stringify({ specversion: '1.0', id: evil, source: 's', type: evil, data: evil });
  const letter = letterOf({ MessageId: evil, Body: body, MessageAttributes: attributes }, 'orders');
  const line = { letter, became: 'kept', why: evil } as const;
  for (const shown of [tableOf([line], 0), jsonOf(line)]) {
    expect(shown).not.toMatch(/(?!\n)[\p{Cc}\p{Bidi_Control}]/u);
    expect(shown).toContain('\\u009b2J\\u001b]0;x');
  }
  expect(JSON.parse(jsonOf(line))).toMatchObject({ reason: evil, why: evil });
});
