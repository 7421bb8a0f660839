import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, request, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { createLogger } from 'baton-tasks/service';
import { eventually } from '../../testing/eventually.ts';
import { answerTo } from '../../testing/raw-caller.ts';
import {
  type Functions,
  type RunningServer,
  serveFunctions,
  TrustedProxies,
  withToken,
} from 'baton-tasks/tooling/processes';
import { serveApiGateway } from '../gateway/api-gateway.ts';
import { Forwarder } from '../gateway/forwarder.ts';
import { serveInvokeApi } from '../gateway/invoke-api.ts';
import type { Routing } from '../routing.ts';

const logger = createLogger({ service: 'tests', level: 'silent' });
const TOKEN = 'a secret of more than 32 characters';
const AWAY = 'http://127.0.0.1:9';
const routing: Routing = {
  services: new Map([['letters', 'letters-service']]),
  consumers: new Map([['baton-dev-x', { service: 'letters-service', handler: 'x', timeoutSeconds: 1 }]]),
};

let origin = AWAY;
let api: RunningServer;
let invoke: RunningServer;
let url: string;
let lambda: LambdaClient;
const servers: Server[] = [];
const functionServers: RunningServer[] = [];

beforeEach(async () => {
  origin = AWAY;
  const own = { token: TOKEN, routing, logger, proxies: new TrustedProxies([]) };
  const options = { ...own, forwarder: new Forwarder(), originOf: () => origin };
  api = await serveApiGateway({ ...options, host: '127.0.0.1', port: 0 });
  invoke = await serveInvokeApi({ ...options, host: '127.0.0.1', port: 0 });
  url = `http://127.0.0.1:${api.port}`;
  const endpoint = `http://127.0.0.1:${invoke.port}`;
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  lambda = withToken(new LambdaClient({ region: 'us-east-1', endpoint, credentials, maxAttempts: 1 }), TOKEN);
});
afterEach(async () => {
  lambda.destroy();
  for (const server of servers.splice(0)) server.close().closeAllConnections();
  await Promise.all([api, invoke, ...functionServers.splice(0)].map((server) => server.close()));
});

/** A service behind the gateway. */
async function serviceThat(listener: RequestListener): Promise<void> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function functionsBehind(functions: Functions): Promise<void> {
  const server = await serveFunctions({ functions, token: TOKEN, host: '127.0.0.1', port: 0, logger });
  functionServers.push(server);
  origin = `http://127.0.0.1:${server.port}`;
}

const problemOf = async (response: Response) => ({
  status: response.status,
  contentType: response.headers.get('content-type'),
  retryAfter: response.headers.get('retry-after'),
  ...((await response.json()) as { title: string; detail: string; requestId: string }),
});

test.each(['gateway', 'resources'])(
  'the start of %s prints a line for each error in its environment',
  (name) => {
    const main = fileURLToPath(new URL(`../${name}/main.ts`, import.meta.url));
    const { status, stderr } = spawnSync(execPath, [main], { env: { LOG_LEVEL: 'loud' }, encoding: 'utf8' });
    expect(status).toBe(1);
    expect(stderr).toContain('LOG_LEVEL held "loud"');
    expect(stderr).not.toMatch(/^ +at /m);
  },
);

describe('the gateway', () => {
  test('passes a request unchanged to the service of its prefix, and the response back', async () => {
    await serviceThat((incoming, response) => {
      const { method, url: path, headers } = incoming;
      response.writeHead(202, { 'x-own': 'yes', location: '/letters/1' });
      response.write(`${method} ${path} ${String(headers['x-request-id'])} `);
      incoming.pipe(response);
    });
    const response = await fetch(`${url}/letters/a%20b?limit=2`, {
      method: 'PUT',
      body: 'héllo',
      headers: { 'x-request-id': 'r-1' },
    });
    await expect(response.text()).resolves.toBe('PUT /letters/a%20b?limit=2 r-1 héllo');
    expect([response.status, response.headers.get('location'), response.headers.get('x-own')]).toEqual([
      202,
      '/letters/1',
      'yes',
    ]);
  });

  test('does not pass connection headers on, and keeps the connection to its caller open', async () => {
    let seen: NodeJS.Dict<string | string[]> = {};
    await serviceThat(({ headers }, response) => {
      seen = headers;
      response.writeHead(200, { connection: 'close', 'keep-alive': 'timeout=99' }).end();
    });
    const asked = request(`${url}/letters`, {
      headers: { connection: 'x-secret', 'x-secret': '1', te: 'trailers', 'proxy-authorization': 'me' },
    }).end();
    const [answer] = (await once(asked, 'response')) as [{ headers: NodeJS.Dict<string>; resume(): void }];
    answer.resume();
    expect(Object.keys(seen).filter((name) => /secret|^te$|^proxy/.test(name))).toEqual([]);
    expect(answer.headers['connection']).toBe('keep-alive');
    expect(answer.headers['keep-alive']).not.toBe('timeout=99');
  });

  test("says at the end of x-forwarded-for who calls, and in its own words how, whatever the caller's headers say", async () => {
    const said: unknown[][] = [];
    await serviceThat(({ headers }, response) => {
      said.push(['for', 'host', 'port', 'proto'].map((name) => headers[`x-forwarded-${name}`]));
      response.end();
    });
    const own = [new URL(url).host, String(api.port), 'http'];
    await fetch(`${url}/letters`);
    const lies = { 'x-forwarded-host': 'x', 'x-forwarded-port': '1', 'x-forwarded-proto': 'https' };
    await fetch(`${url}/letters`, { headers: { 'x-forwarded-for': '192.0.2.1, 192.0.2.2', ...lies } });
    const alone = { 'x-forwarded-for': '192.0.2.1', connection: 'close, x-forwarded-for' };
    request(`${url}/letters`, { headers: alone }).end();
    await eventually('three requests', () => said.length === 3);
    expect(said).toEqual([
      ['127.0.0.1', ...own],
      ['192.0.2.1, 192.0.2.2, 127.0.0.1', ...own],
      ['127.0.0.1', ...own],
    ]);
  });

  test.each([
    ['content-length', { 'content-length': '22' }],
    ['transfer-encoding', { 'transfer-encoding': 'chunked' }],
  ])('passes a body on even if its caller lists %s as a connection header', async (name, framing) => {
    let body = '';
    await serviceThat((incoming, response) => {
      incoming.on('data', (chunk) => (body += String(chunk))).once('end', () => response.end());
    });
    const headers = { connection: `close, ${name}`, ...framing };
    const asked = request(`${url}/letters`, { method: 'DELETE', headers }).end('GET /health HTTP/1.1\r\n');
    const [answer] = (await once(asked, 'response')) as [{ statusCode: number; resume(): void }];
    answer.resume();
    expect([answer.statusCode, body]).toEqual([200, 'GET /health HTTP/1.1\r\n']);
  });

  test('passes the host on even if its caller lists it as a connection header', async () => {
    let host: string | undefined;
    await serviceThat(({ headers }, response) => {
      host = headers.host;
      response.end();
    });
    await answerTo(
      api.port,
      'GET /letters HTTP/1.1\r\nhost: shop.example\r\nconnection: close, host\r\n\r\n',
    );
    expect(host).toBe('shop.example');
  });

  test('takes a URL as the target of a request', async () => {
    await serviceThat(({ url: path, headers }, response) => response.end(`${headers.host}${path}`));
    const text = 'GET http://shop.example/letters/1?x HTTP/1.1\r\nhost: other\r\nconnection: close\r\n\r\n';
    expect(await answerTo(api.port, text)).toContain('shop.example/letters/1?x');
  });

  test.each([
    ['two Host headers', 'GET /letters HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n'],
    [
      'two lengths',
      'POST /letters HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
  ])('refuses a request with %s, without a request to a service', async (_what, text) => {
    let asked = 0;
    await serviceThat((_incoming, response) => ((asked += 1), response.end()));
    expect(await answerTo(api.port, text)).toMatch(/^HTTP\/1\.1 400 /);
    expect(asked).toBe(0);
  });

  test.each(['/letters', '/nope'])(
    'forbids to store the answer of %s and to guess its type, unless the service says otherwise',
    async (path) => {
      await serviceThat((_incoming, response) =>
        response.writeHead(200, { 'cache-control': 'max-age=1' }).end(),
      );
      const { headers } = await fetch(url + path);
      expect([headers.get('cache-control'), headers.get('x-content-type-options')]).toEqual([
        path === '/nope' ? 'no-store' : 'max-age=1',
        'nosniff',
      ]);
    },
  );

  test.each(['/', '/nope', '/letter', '/lettersx', '//letters', '/constructor', '/health/live'])(
    'answers 404 for %s without a request to a service',
    async (path) => {
      await serviceThat((_incoming, response) => response.end());
      await expect(fetch(url + path).then(problemOf)).resolves.toMatchObject({
        status: 404,
        contentType: 'application/problem+json',
        title: 'There is no such route',
        requestId: expect.any(String) as unknown,
      });
    },
  );

  test('answers 503 with Retry-After for a service whose name does not resolve', async () => {
    await expect(fetch(`${url}/letters`).then(problemOf)).resolves.toMatchObject({
      status: 503,
      contentType: 'application/problem+json',
      retryAfter: '5',
      title: 'A dependency does not answer',
    });
  });

  test('answers for a service that neither accepts nor refuses connections', async () => {
    // Blocks without end once it listens. When its backlog is full, further connections must wait
    const deaf = `require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, function () {
      require('node:fs').writeSync(1, String(this.address().port));
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    })`;
    const process = spawn(execPath, ['-e', deaf], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [port] = (await once(process.stdout, 'data')) as [Buffer];
    const filling = Array.from({ length: 4 }, () =>
      connect(Number(port), '127.0.0.1').on('error', () => undefined),
    );
    await once(filling[0] as Socket, 'connect');
    origin = `http://127.0.0.1:${String(port)}`;
    try {
      await expect(fetch(`${url}/letters`).then(problemOf)).resolves.toMatchObject({
        status: 503,
        retryAfter: '5',
      });
    } finally {
      for (const socket of filling) socket.destroy();
      process.kill('SIGKILL');
    }
  }, 15_000);

  test('answers for a service that closes the connection without a response', async () => {
    await serviceThat(({ socket }) => socket.destroy());
    const response = fetch(`${url}/letters`, { method: 'POST', body: '{}' });
    await expect(response.then(problemOf)).resolves.toMatchObject({ status: 503, retryAfter: '5' });
  });

  test('cuts off a response that its service cuts off, and does not complete it', async () => {
    await serviceThat(({ socket }, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('half', () => socket.destroy());
    });
    const response = await fetch(`${url}/letters`);
    await expect(response.text()).rejects.toThrow('terminated');
  });

  test.each([
    ['says how long it is', { 'content-length': '20000000' }],
    ['does not', { 'transfer-encoding': 'chunked' }],
  ])('refuses a body that is far too long and %s, without a request to a service', async (_what, headers) => {
    let asked = 0;
    await serviceThat((_incoming, response) => ((asked += 1), response.end()));
    const asking = request(`${url}/letters`, { method: 'POST', headers });
    for (let sent = 0; sent < 20; sent += 1) asking.write(Buffer.alloc(65_536));
    const [answer] = (await once(asking, 'response')) as [{ statusCode: number }];
    asking.on('error', () => undefined).destroy();
    expect([answer.statusCode, asked]).toEqual([413, 0]);
  });

  test('answers requests in progress before it closes', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    await serviceThat((_incoming, response) => {
      begun.resolve();
      void promise.then(() => response.end('late'));
    });
    const response = fetch(`${url}/letters`);
    await begun.promise;
    const closed = api.close();
    resolve();
    const answer = await response;
    expect([answer.headers.get('connection'), await answer.text()]).toEqual(['close', 'late']);
    await closed;
  });
});

describe("the gateway's invocations", () => {
  const invoking = (FunctionName: string) =>
    lambda.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify({ Records: [1] }) }));

  test("reach the function in its service's container, with the timeout from its functions.yml", async () => {
    let remainingMs = 0;
    await functionsBehind({
      x: async (event: object, context) => {
        remainingMs = context.getRemainingTimeInMillis();
        return event;
      },
    });
    const { Payload, FunctionError } = await invoking('baton-dev-x');
    expect([Buffer.from(Payload ?? []).toString(), FunctionError]).toEqual(['{"Records":[1]}', undefined]);
    expect(remainingMs).toBeGreaterThan(0);
    expect(remainingMs).toBeLessThanOrEqual(1000);
  });

  test('report a function that fails', async () => {
    await functionsBehind({ x: () => Promise.reject(new Error('no')) });
    await expect(invoking('baton-dev-x')).resolves.toMatchObject({ FunctionError: 'Unhandled' });
  });

  test('are throttled while the service is away, so that the worker retries them', async () => {
    await expect(invoking('baton-dev-x')).rejects.toMatchObject({ name: 'TooManyRequestsException' });
  });

  test('are refused without the secret, before anything is asked of a service', async () => {
    let asked = 0;
    await serviceThat((_incoming, response) => ((asked += 1), response.end()));
    const path = '/2015-03-31/functions/baton-dev-x/invocations';
    const answer = await fetch(`http://127.0.0.1:${invoke.port}${path}`, { method: 'POST', body: '{}' });
    expect([answer.status, answer.headers.get('x-amzn-errortype'), asked]).toEqual([
      403,
      'AccessDeniedException',
      0,
    ]);
  });

  test('of an unknown function are refused', async () => {
    await expect(invoking('baton-dev-y')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });
});
