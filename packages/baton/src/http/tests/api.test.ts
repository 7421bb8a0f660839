import { describe, expect, test } from '@jest/globals';
import { createApi } from '../api.ts';
import { cursorOf, pageQuery } from '../cursor.ts';
import type { HttpEvent, HttpResponse } from '../http-message.ts';
import { notFound } from '../problem.ts';
import { route } from '../route.ts';
import { SendError } from '../../task/errors.ts';
import { RequestInProgressError, RequestMismatchError } from '../intake.ts';
import { createLogger } from '../../telemetry/logger.ts';
import * as z from 'zod';

const cursor = cursorOf(z.strictObject({ at: z.string() }));

test.each([
  [{ rate: 0, burst: 1 }, 'the rate 0: expected a whole number from 1 to 10000'],
  [{ rate: 10_001, burst: 1 }, 'the rate 10001: expected a whole number from 1 to 10000'],
  [{ rate: 1, burst: 5001 }, 'the burst 5001: expected a whole number from 1 to 5000'],
  [{ rate: 1.5, burst: 1 }, 'the rate 1.5: expected a whole number from 1 to 10000'],
])('a route that declares the throttle %j is refused at the start', (throttle, says) => {
  expect(() => route('GET', '/a', { throttle }, async () => ({ status: 200 }))).toThrow(
    `The throttle of the route GET /a has ${says}`,
  );
});

const logger = createLogger({ service: 'tests', level: 'silent' });
const handler = createApi({ logger, environment: { AUTHENTICATION: 'none' } }, [
  route(
    'POST',
    '/things',
    { body: z.strictObject({ name: z.string(), size: z.int().min(1) }) },
    async ({ body }) => ({
      status: 202,
      headers: { location: '/things/1' },
      body,
    }),
  ),
  route('GET', '/things', { query: z.strictObject(pageQuery) }, async ({ query }) => ({
    status: 200,
    body: {
      limit: query.limit,
      after: cursor.decode(query.cursor) ?? null,
      next: cursor.encode({ at: 'here' }),
    },
  })),
  route('DELETE', '/gone', {}, async () => ({ status: 204 })),
  route('GET', '/things/{name}', {}, async ({ param }) => {
    switch (param('name')) {
      case 'no-broker':
        throw new SendError('SQS did not take it', { transient: true });
      case 'no-queue':
        throw new SendError('SQS has no such queue', { transient: false });
      case 'other-body':
        throw new RequestMismatchError('other');
      case 'under-way':
        throw new RequestInProgressError('under way');
      case 'no-store':
        throw Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
      case 'bug':
        throw new TypeError('secret detail');
      case 'large':
        return { status: 200, body: { text: '"'.repeat(1_600_000) } };
      case 'almost-large':
        return { status: 200, body: { text: '"'.repeat(1_400_000) } };
      case 'kept':
        return { status: 200, headers: { 'Cache-Control': 'max-age=60' }, body: {} };
      case 'missing':
        throw notFound('thing', 'missing');
    }
    return { status: 200, body: { name: param('name') } };
  }),
]);

interface Request {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly query?: Record<string, string>;
  readonly body?: string;
  readonly base64?: boolean;
}

const JSON_TYPE = { 'content-type': 'application/json' };

function version2({
  method = 'GET',
  path = '/things',
  headers = {},
  query,
  body,
  base64 = false,
}: Request): HttpEvent {
  const http = { method, path };
  const event = { version: '2.0', rawPath: path, headers, requestContext: { http }, isBase64Encoded: base64 };
  return {
    ...event,
    ...(query && { queryStringParameters: query }),
    ...(body !== undefined && { body }),
  } as never;
}

function version1({
  method = 'GET',
  path = '/things',
  headers = {},
  query,
  body,
  base64 = false,
}: Request): HttpEvent {
  const upper = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value]),
  );
  const multi = query && Object.fromEntries(Object.entries(query).map(([name, value]) => [name, [value]]));
  return {
    version: '1.0',
    httpMethod: method,
    path,
    headers: upper,
    queryStringParameters: query ?? null,
    multiValueQueryStringParameters: multi ?? null,
    requestContext: { stage: 'dev' },
    body: body ?? null,
    isBase64Encoded: base64,
  } as never;
}

const formats = [
  ['2.0', version2],
  ['1.0', version1],
] as const;

function json({ body }: HttpResponse): Record<string, unknown> {
  return JSON.parse(body) as Record<string, unknown>;
}

describe.each(formats)('an API that gets events in payload format %s', (_version, eventOf) => {
  const ask = (request: Request): Promise<HttpResponse> => handler(eventOf(request), {});
  const post = (body: string, headers: Record<string, string> = JSON_TYPE): Promise<HttpResponse> =>
    ask({ method: 'POST', headers, body });

  test('returns the status, headers and body of a route', async () => {
    const answer = await post('{"name":"é","size":1}');
    expect(answer).toMatchObject({
      statusCode: 202,
      headers: { location: '/things/1', 'content-type': 'application/json' },
    });
    expect(json(answer)).toEqual({ name: 'é', size: 1 });
  });

  test('sends neither a body nor its type if a route returns none', async () => {
    const answer = await ask({ method: 'DELETE', path: '/gone' });
    expect(answer).toMatchObject({ statusCode: 204, body: '' });
    expect(answer.headers).not.toHaveProperty('content-type');
  });

  test('reads a body in base64', async () => {
    const body = Buffer.from('{"name":"é","size":1}').toString('base64');
    expect(json(await ask({ method: 'POST', headers: JSON_TYPE, body, base64: true }))).toEqual({
      name: 'é',
      size: 1,
    });
  });

  test('decodes path parameters', async () => {
    expect(json(await ask({ path: '/things/a%20b' }))).toEqual({ name: 'a b' });
    expect(json(await ask({ path: '/things/100%' }))).toEqual({ name: '100%' });
  });

  test('reads path parameters itself, as a gateway may have decoded them already', async () => {
    const event = { ...eventOf({ path: '/things/%2541' }), pathParameters: { name: '%41' } };
    expect(json(await handler(event, {}))).toEqual({ name: '%41' });
  });

  test("keeps a caller's request id, and replaces a missing or invalid one", async () => {
    const own = await ask({ headers: { 'x-request-id': 'abc-1' } });
    expect(own.headers['x-request-id']).toBe('abc-1');
    const bad = await ask({ headers: { 'x-request-id': 'a b\n' }, path: '/things/missing' });
    expect(bad.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(json(bad)['requestId']).toBe(bad.headers['x-request-id']);
  });

  test.each([
    ['a body that is not JSON', { body: '{"name"' }, 400, 'invalid-json'],
    [
      'a body that is not UTF-8',
      { body: Buffer.from([0x22, 0xff, 0x22]).toString('base64'), base64: true },
      400,
      'invalid-json',
    ],
    ['no body', {}, 400, 'invalid-json'],
    [
      'no body with the wrong content type',
      { headers: { 'content-type': 'text/plain' } },
      415,
      'unsupported-content-type',
    ],
    [
      'a content type that is not JSON',
      { body: '{}', headers: { 'content-type': 'text/plain' } },
      415,
      'unsupported-content-type',
    ],
    [
      'another charset',
      { body: '{}', headers: { 'content-type': 'application/json; charset=latin1' } },
      415,
      'unsupported-content-type',
    ],
    [
      'a compressed body',
      { body: '{}', headers: { ...JSON_TYPE, 'content-encoding': 'gzip' } },
      415,
      'unsupported-content-type',
    ],
    ['no content type', { body: '{}', headers: {} }, 415, 'unsupported-content-type'],
    ['a body over 256 KiB', { body: `"${'x'.repeat(262_143)}"` }, 413, 'body-too-large'],
  ])('refuses %s', async (_what, request, status, kind) => {
    const answer = await ask({ method: 'POST', headers: JSON_TYPE, ...request });
    expect(answer).toMatchObject({
      statusCode: status,
      headers: { 'content-type': 'application/problem+json' },
    });
    expect(json(answer)).toMatchObject({
      type: `urn:baton:problem:${kind}`,
      status,
      detail: expect.any(String) as unknown,
    });
  });

  test('accepts a body of 256 KiB, and reports errors in its content', async () => {
    const answer = await post(`"${'x'.repeat(262_142)}"`);
    expect(answer.statusCode).toBe(400);
    expect(json(answer)['errors']).toEqual([
      { path: '', message: expect.stringContaining('expected object') as unknown },
    ]);
  });

  test('reports each error of a body that breaks its schema, with its path', async () => {
    const answer = await post('{"size":0,"colour":"red"}');
    expect(answer.statusCode).toBe(400);
    expect(json(answer)['errors']).toEqual([
      { path: 'name', message: expect.any(String) as unknown },
      { path: 'size', message: expect.any(String) as unknown },
      { path: '', message: expect.stringContaining('colour') as unknown },
    ]);
  });

  test('cuts the wrong parts of a body in its answer', async () => {
    const answer = await post(JSON.stringify({ name: 'x', size: 1, ['k'.repeat(100_000)]: 1 }));
    expect(answer.statusCode).toBe(400);
    expect(answer.body.length).toBeLessThan(1000);
  });

  test.each([
    [{ path: '/nothing' }, 404, 'unknown-route'],
    [{ path: '/things/missing' }, 404, 'not-found'],
    [{ path: `/things/${'x'.repeat(129)}` }, 404, 'not-found'],
    [{ path: '//evil/things/1' }, 404, 'unknown-route'],
    [{ path: '/things/no-queue' }, 500, 'internal-error'],
    [{ path: '/things/other-body' }, 409, 'idempotency-key-reused'],
    [{ path: '/things/under-way' }, 409, 'request-in-progress'],
    [{ path: '/things/no-broker' }, 503, 'service-unavailable'],
    [{ path: '/things/no-store' }, 503, 'service-unavailable'],
    [{ path: '/things/bug' }, 500, 'internal-error'],
    [{ path: '/things/large' }, 500, 'answer-too-large'],
    [{ query: { limit: '0' } }, 400, 'invalid-request'],
    [{ query: { limit: '101' } }, 400, 'invalid-request'],
    [{ query: { limit: 'ten' } }, 400, 'invalid-request'],
    [{ query: { limti: '5' } }, 400, 'invalid-request'],
    [{ query: { cursor: 'rubbish' } }, 400, 'invalid-cursor'],
    [{ query: { cursor: Buffer.from('{"at":1}').toString('base64url') } }, 400, 'invalid-cursor'],
  ])('answers %j with %d %s', async (request, status, kind) => {
    const answer = await ask(request);
    expect(answer.statusCode).toBe(status);
    expect(json(answer)).toMatchObject({ type: `urn:baton:problem:${kind}`, status });
  });

  test('hides the message of an internal error', async () => {
    expect((await ask({ path: '/things/bug' })).body).not.toContain('secret');
  });

  test('tells the caller when to retry if a dependency does not answer', async () => {
    expect((await ask({ path: '/things/no-broker' })).headers['retry-after']).toBe('5');
  });

  test.each([
    ['DELETE', '/things', 'POST, GET, HEAD, OPTIONS'],
    ['PROPFIND', '/things', 'POST, GET, HEAD, OPTIONS'],
    ['PUT', '/things/x', 'GET, HEAD, OPTIONS'],
  ])('answers %s %s with 405 and the allowed methods', async (method, path, allow) => {
    const answer = await ask({ method, path });
    expect(answer).toMatchObject({ statusCode: 405, headers: { allow } });
  });

  test('answers OPTIONS of a path with its methods', async () => {
    const answer = await ask({ method: 'OPTIONS', path: '/things' });
    expect(answer).toMatchObject({
      statusCode: 204,
      headers: { allow: 'POST, GET, HEAD, OPTIONS' },
      body: '',
    });
    expect((await ask({ method: 'OPTIONS', path: '/nothing' })).statusCode).toBe(404);
  });

  test('answers HEAD like GET', async () => {
    expect((await ask({ method: 'HEAD' })).statusCode).toBe(200);
  });

  test.each(['/things', '/things/missing', '/things/no-broker', '/nope'])(
    'forbids to store the answer of %s and to guess its type',
    async (path) => {
      const { headers } = await ask({ path });
      expect(headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    },
  );

  test('sends an answer that is as large as Lambda takes', async () => {
    const answer = await ask({ path: '/things/almost-large' });
    expect(answer.statusCode).toBe(200);
    expect(Buffer.byteLength(JSON.stringify(answer))).toBeGreaterThan(5_500_000);
  });

  test('keeps the cache-control of a route that has its own', async () => {
    const { headers } = await ask({ path: '/things/kept' });
    expect(Object.entries(headers).filter(([name]) => /^cache-control$/i.test(name))).toEqual([
      ['cache-control', 'max-age=60'],
    ]);
  });

  test('accepts the cursors that it returns', async () => {
    const first = json(await ask({}));
    const second = json(await ask({ query: { cursor: String(first['next']), limit: '7' } }));
    expect(second).toMatchObject({ limit: 7, after: { at: 'here' } });
  });
});
