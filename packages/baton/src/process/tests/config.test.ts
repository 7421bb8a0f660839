import { describe, expect, test } from '@jest/globals';
import { oneOf, parseConfig, port, sharedVariables, text, wholeNumber } from '../config.ts';
import * as z from 'zod';

const schema = z.object({
  COUNT: wholeNumber(1, 10, 3),
  PORT: port(3000),
  LEVEL: oneOf(['low', 'high'], 'low'),
  NAME: text('a name'),
  API_TOKEN: z.string().max(3, { error: 'expected at most 3 characters' }).optional(),
  API_TOKEN_FILE: z.string().max(3, { error: 'expected at most 3 characters' }).optional(),
  SMTP_URL: z
    .string()
    .regex(/^smtp:/, { error: 'expected smtp://...' })
    .optional(),
});

test('a variable that is not set, or is empty, gets its default', () => {
  expect(parseConfig(schema, { NAME: 'x', COUNT: '' })).toEqual({
    COUNT: 3,
    PORT: 3000,
    LEVEL: 'low',
    NAME: 'x',
  });
});

describe('an invalid environment is refused with the name, the value and the allowed values:', () => {
  test.each([
    [{ COUNT: '11' }, 'COUNT held "11": expected a whole number from 1 to 10'],
    [{ COUNT: '-1' }, 'COUNT held "-1": expected a whole number from 1 to 10'],
    [{ COUNT: '1e1' }, 'COUNT held "1e1": expected a whole number from 1 to 10'],
    [{ PORT: '70000' }, 'PORT held "70000": expected a whole number from 1 to 65535'],
    [{ LEVEL: 'middle' }, 'LEVEL held "middle": expected one of low, high'],
    [{ NAME: undefined }, 'NAME is not set: expected a name'],
    [{ API_TOKEN: 'very-secret' }, 'API_TOKEN held "***": expected at most 3 characters'],
    [{ API_TOKEN_FILE: '/run/token' }, 'API_TOKEN_FILE held "/run/token": expected at most 3 characters'],
    [{ SMTP_URL: 'http://me:secret@mail' }, 'SMTP_URL held "http://***@mail": expected smtp://...'],
    [{ SMTP_URL: 'http://me:se/cr@et@mail' }, 'SMTP_URL held "http://***@mail": expected smtp://...'],
  ])('%j', (wrong, says) => {
    const read = (): unknown => parseConfig(schema, { NAME: 'x', ...wrong });
    expect(read).toThrow(
      expect.objectContaining({
        name: 'ConfigError',
        message: expect.stringContaining(says) as unknown as string,
      }),
    );
  });

  test('all invalid variables at once', () => {
    const read = (): unknown => parseConfig(schema, { COUNT: 'x', LEVEL: 'x' });
    expect(read).toThrow(/COUNT[^]*LEVEL[^]*NAME/);
  });
});

test('a queue URL prefix must be a URL', () => {
  const { QUEUE_URL_PREFIX } = sharedVariables;
  expect(QUEUE_URL_PREFIX.safeParse('http://127.0.0.1:4566/000000000000/baton-dev-').success).toBe(true);
  expect(QUEUE_URL_PREFIX.safeParse('baton-dev-').success).toBe(false);
});
