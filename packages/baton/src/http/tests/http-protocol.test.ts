import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createLogger } from '../../telemetry/logger.ts';
import { readRequest } from '../http-message.ts';
import { Health } from '../health.ts';
import type { RunningServer } from '../listener.ts';
import { serve } from '../server.ts';
import { answerTo } from 'baton-dev/testing/raw-caller';

const logger = createLogger({ service: 'tests', level: 'silent' });
let server: RunningServer;
let seen: {
  readonly method: string;
  readonly path: string;
  readonly host: string | undefined;
  readonly body: string;
}[];

beforeEach(async () => {
  seen = [];
  server = await serve({
    handler: async (event) => {
      const { method, path, headers, query, body } = readRequest(event);
      const search = new URLSearchParams(query as Record<string, string>).toString();
      const target = search ? `${path}?${search}` : path;
      seen.push({ method, path: target, host: headers['host'], body: body.toString() });
      return { statusCode: 200, headers: { 'content-type': 'application/json' }, body: '{}' };
    },
    health: new Health({ ready: {}, logger }),
    host: '127.0.0.1',
    port: 0,
    logger,
    bodyTimeoutSeconds: 1,
    requestTimeoutSeconds: 2,
    keepAliveSeconds: 1,
  });
});
afterEach(() => server.close());

const ask = (text: string): Promise<string> => answerTo(server.port, text);
const statusesOf = (answer: string): number[] =>
  [...answer.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status));

describe('the target of a request', () => {
  test.each([
    ['GET http://api.example/orders?limit=1 HTTP/1.1\r\nhost: api.example', '/orders?limit=1', 'api.example'],
    ['GET http://api.example/orders HTTP/1.1\r\nhost: other.example', '/orders', 'api.example'],
    ['GET HTTPS://api.example:8443 HTTP/1.1\r\nhost: x', '/', 'api.example:8443'],
    ['GET http://api.example?x=1 HTTP/1.1\r\nhost: x', '/?x=1', 'api.example'],
    ['GET //evil/orders HTTP/1.1\r\nhost: x', '//evil/orders', 'x'],
  ])('%s is %s of %s', async (head, path, host) => {
    const answer = await ask(`${head}\r\nconnection: close\r\n\r\n`);
    expect(statusesOf(answer)).toEqual([200]);
    expect(seen).toMatchObject([{ path, host }]);
  });

  test.each([
    ['another scheme', 'GET ftp://api.example/orders HTTP/1.1\r\nhost: x'],
    ['a user', 'GET http://me@api.example/orders HTTP/1.1\r\nhost: x'],
    ['no host', 'GET http:///orders HTTP/1.1\r\nhost: x'],
    ['neither a path nor a URL', 'GET orders HTTP/1.1\r\nhost: x'],
  ])('with %s is refused with 400', async (_what, head) => {
    expect(statusesOf(await ask(`${head}\r\n\r\n`))).toEqual([400]);
    expect(seen).toEqual([]);
  });

  test.each([
    ['two', 'GET / HTTP/1.1\r\nhost: x\r\nHost: y'],
    ['two equal', 'GET / HTTP/1.1\r\nhost: x\r\nhost: x'],
    ['two beside a URL', 'GET http://x/ HTTP/1.1\r\nhost: x\r\nhost: y'],
    ['no', 'GET / HTTP/1.1\r\nx-host: x'],
  ])('with %s Host headers is refused with 400, and the connection closes', async (_what, head) => {
    expect(statusesOf(await ask(`${head}\r\n\r\nGET / HTTP/1.1\r\nhost: x\r\n\r\n`))).toEqual([400]);
    expect(seen).toEqual([]);
  });
});

/** Query parameters, each with a name of its own. */
const parameters = (count: number): string =>
  Array.from({ length: count }, (_, index) => `p${index}`).join('&');
/** Header lines, each with a name of its own. */
const headers = (count: number): string =>
  Array.from({ length: count }, (_, index) => `\r\nx${index}:`).join('');

describe('a request with', () => {
  test.each([
    ['a query of 2,600 names', `GET /?${parameters(2600)} HTTP/1.1\r\nhost: x`],
    ['a query of 101 names', `GET /?${parameters(101)} HTTP/1.1\r\nhost: x`],
    ['a query of one name 8,000 times', `GET /?${'&a'.repeat(8000)} HTTP/1.1\r\nhost: x`],
    ['a query of 101 names in a URL', `GET http://x/?${parameters(101)} HTTP/1.1\r\nhost: x`],
    ['101 headers', `GET / HTTP/1.1\r\nhost: x${headers(100)}`],
  ])('%s is refused with 400 before its token is looked at', async (_what, head) => {
    const answer = await ask(`${head}\r\n\r\n`);
    expect(statusesOf(answer)).toEqual([400]);
    expect(answer).toContain('The request has more than 100');
    expect(seen).toEqual([]);
  });

  test('100 headers and a query of 100 names is answered', async () => {
    const head = `GET /?${parameters(100)} HTTP/1.1\r\nhost: x\r\nconnection: close${headers(98)}`;
    expect(statusesOf(await ask(`${head}\r\n\r\n`))).toEqual([200]);
  });

  test('a name that stands several times in its query has all its values, joined by commas', async () => {
    await ask('GET /?a=1&b=2&a=&a=3 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    expect(seen).toMatchObject([{ path: `/?${new URLSearchParams({ a: '1,,3', b: '2' }).toString()}` }]);
  });
});

const HIDDEN = 'GET /hidden HTTP/1.1\r\nhost: x\r\n\r\n';

describe('a request that a proxy and a server may read in two ways', () => {
  test.each([
    ['both lengths', 'content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['both lengths, the other first', 'transfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n0\r\n\r\n'],
    ['two different lengths', 'content-length: 0\r\ncontent-length: 5\r\n\r\nhello'],
    ['a list of lengths', 'content-length: 0, 5\r\n\r\nhello'],
    ['a signed length', 'content-length: +5\r\n\r\nhello'],
    ['Transfer-Encoding: identity', 'transfer-encoding: identity\r\n\r\n'],
    ['chunked not last', 'transfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n'],
    ['an encoding before chunked', 'transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
    [
      'an encoding in a header before',
      'transfer-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['chunked twice', 'transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['an encoding that looks like chunked', 'transfer-encoding: xchunked\r\n\r\n0\r\n\r\n'],
    ['a space before the colon', 'content-length : 5\r\n\r\nhello'],
    ['a folded header', 'x-folded: a\r\n b\r\ncontent-length: 0\r\n\r\n'],
    ['a folded length', 'content-length:\r\n 5\r\n\r\nhello'],
    ['a bare CR in a header', 'x-bare: a\rb\r\ncontent-length: 0\r\n\r\n'],
    ['a bare LF between headers', 'x-bare: a\ncontent-length: 0\r\n\r\n'],
    ['a NUL in a header', 'x-nul: a\0b\r\ncontent-length: 0\r\n\r\n'],
    ['a chunk size that is not hexadecimal', 'transfer-encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n'],
    ['a chunk that is longer than it says', 'transfer-encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n'],
    ['a bare LF after a chunk size', 'transfer-encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n'],
  ])('(%s) is refused with 400, and nothing after it is answered', async (_what, rest) => {
    const answer = await ask(`POST / HTTP/1.1\r\nhost: x\r\n${rest}${HIDDEN}`);
    expect(statusesOf(answer)).toEqual([400]);
    expect(seen).toEqual([]);
  });

  test('(chunks in HTTP/1.0) is refused with 400', async () => {
    const answer = await ask(
      'POST / HTTP/1.0\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n',
    );
    expect(statusesOf(answer)).toEqual([400]);
    expect(seen).toEqual([]);
  });

  test('(extensions of a chunk without end) is refused, and nothing after it is answered', async () => {
    const answer = await ask(
      `POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1;${'a'.repeat(20_000)}\r\na\r\n0\r\n\r\n${HIDDEN}`,
    );
    expect(statusesOf(answer)).toEqual([413]);
    expect(seen).toEqual([]);
  });

  test('(trailers) adds no header to the request', async () => {
    const answer = await ask(
      'POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\nhost: evil\r\n\r\n',
    );
    expect(statusesOf(answer)).toEqual([200]);
    expect(seen).toMatchObject([{ host: 'x', body: 'a' }]);
  });

  test('(more than 16 KB of headers) is refused with 431', async () => {
    const answer = await ask(`GET / HTTP/1.1\r\nhost: x\r\nx-long: ${'x'.repeat(20_000)}\r\n\r\n`);
    expect(statusesOf(answer)).toEqual([431]);
  });

  test('(an unknown expectation) is refused with 417', async () => {
    const answer = await ask('GET / HTTP/1.1\r\nhost: x\r\nexpect: gifts\r\nconnection: close\r\n\r\n');
    expect(statusesOf(answer)).toEqual([417]);
  });
});

test('thousands of requests that expect 100-continue end with their connection', async () => {
  const expecting = 'POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 1\r\n\r\n';
  const answer = await ask(expecting.repeat(2000));
  expect(answer.length).toBeLessThan(20_000);
});

test.each([
  ['an answer', 'GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'],
  ['health', 'GET /health/ready HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'],
  ['a problem', 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 999999\r\n\r\n'],
  ['what is not HTTP', 'hello\r\n\r\n'],
  ['too many headers', `GET / HTTP/1.1\r\nhost: x\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`],
  ['half a header', 'GET / HTTP/1.1\r\nhost:'],
])('the answer to %s is not stored, and its type is not guessed', async (_what, text) => {
  const answer = await ask(text);
  expect(answer).toContain('cache-control: no-store\r\n');
  expect(answer).toContain('x-content-type-options: nosniff\r\n');
});
