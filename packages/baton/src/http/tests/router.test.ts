import { describe, expect, test } from '@jest/globals';
import { createLogger } from '../../telemetry/logger.ts';
import { createApi } from '../api.ts';
import type { HttpEvent } from '../http-message.ts';
import { route } from '../route.ts';

const logger = createLogger({ service: 'tests', level: 'silent' });
const options = { access: 'public', throttle: { rate: 1, burst: 1 } } as const;
const found = async () => ({ status: 200, body: { found: true } });
const api = createApi({ logger, environment: { AUTHENTICATION: 'none' } }, [
  route('GET', '/', options, found),
  route('GET', '/things', options, found),
  route('POST', '/things', options, found),
  route('GET', '/things/{name}', options, found),
  route('POST', '/things/{name}/refund', options, found),
]);

const formats: [string, (method: string, path: string) => HttpEvent][] = [
  [
    '2.0',
    (method, path) =>
      ({ version: '2.0', rawPath: path, headers: {}, requestContext: { http: { method, path } } }) as never,
  ],
  [
    '1.0',
    (httpMethod, path) => ({ version: '1.0', httpMethod, path, headers: {}, requestContext: {} }) as never,
  ],
];

describe.each(formats)('a router that gets events in payload format %s', (_version, eventOf) => {
  test.each([
    ['GET', '/'],
    ['GET', '/things'],
    ['HEAD', '/things/x'],
    ['POST', '/things/x/refund'],
  ])('finds %s %s', async (method, path) => {
    expect((await api(eventOf(method, path), {})).statusCode).toBe(200);
  });

  // A gateway has the limits and scopes of a route for its path without a slash at the end
  test.each([
    ['GET', '/things/'],
    ['POST', '/things/'],
    ['HEAD', '/things/x/'],
    ['POST', '/things/x/refund/'],
    ['POST', '/things//'],
    ['OPTIONS', '/things/'],
    ['DELETE', '/things/x/'],
    ['GET', '//'],
  ])('finds no route %s %s', async (method, path) => {
    const { statusCode, body } = await api(eventOf(method, path), {});
    expect(statusCode).toBe(404);
    expect(JSON.parse(body)).toMatchObject({
      type: 'urn:baton:problem:unknown-route',
      detail: `There is no route ${method} ${path} here.`,
    });
  });
});

test('a route with a slash at its end is refused at the start, as no request would find it', () => {
  expect(() => route('GET', '/things/', {}, found)).toThrow(
    'The route GET /things/ ends with a slash: expected a path such as /things',
  );
});
