import { describe, expect, jest, test } from '@jest/globals';
import * as z from 'zod';
import { createLogger } from '../../telemetry/logger.ts';
import { createApi } from '../api.ts';
import type { HttpEvent } from '../http-message.ts';
import { route } from '../route.ts';

const logger = createLogger({ service: 'tests', level: 'silent' });
const check = jest.fn(() => true);
const answer = async () => ({ status: 200 });
const handler = createApi({ logger, environment: { AUTHENTICATION: 'none' } }, [
  route('POST', '/any', { body: z.unknown().refine(check) }, answer),
  route('POST', '/texts', { body: z.array(z.string()) }, answer),
]);

/** Sends a JSON body. Resolves to the status of the answer, and what it says. */
async function post(body: string, path = '/any') {
  check.mockClear();
  const event = { version: '2.0', rawPath: path, requestContext: { http: { method: 'POST', path } }, body };
  const headers = { 'content-type': 'application/json' };
  const { statusCode, body: text } = await handler({ ...event, headers } as unknown as HttpEvent, {});
  return { status: statusCode, said: text && (JSON.parse(text) as { detail: string; errors: unknown[] }) };
}

const members = (count: number): string =>
  `{${Array.from({ length: count }, (_, index) => `"${index.toString(36)}":1`).join(',')}}`;
const items = (count: number): string => `[${Array.from({ length: count }, () => 1).join(',')}]`;
const levels = (count: number): string => '['.repeat(count) + ']'.repeat(count);

describe('a JSON body', () => {
  test.each([
    ['32,000 members', members(32_000), 'The body has 32001 values; expected at most 4096.'],
    ['100,000 items', items(100_000), 'The body has 100001 values; expected at most 4096.'],
    ['1,500 levels', levels(1500), 'The body has 1500 levels of lists and objects; expected at most 1000.'],
  ])('with %s is refused with 413 before its schema sees it', async (_what, body, detail) => {
    await expect(post(body)).resolves.toMatchObject({ status: 413, said: { detail } });
    expect(check).not.toHaveBeenCalled();
  });

  test.each([
    ['4,000 members', members(4000)],
    ['4,000 items', items(4000)],
    ['1,000 levels', levels(1000)],
    ['a text of 200,000 signs that look like values', JSON.stringify(',[{'.repeat(66_000))],
  ])('with %s is checked by its schema', async (_what, body) => {
    expect((await post(body)).status).toBe(200);
    expect(check).toHaveBeenCalled();
  });

  test('with thousands of faults gets an answer that shows some of them', async () => {
    const { status, said } = await post(items(4000), '/texts');
    expect([status, said && said.errors.length]).toEqual([400, 20]);
  });
});
