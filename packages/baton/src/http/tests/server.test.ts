import { afterEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import type { HttpEvent } from '../http-message.ts';
import { readRequest } from '../http-message.ts';
import type { RunningServer } from '../listener.ts';
import { serve } from '../server.ts';
import { createLogger } from '../../telemetry/logger.ts';

let server: RunningServer | undefined;
afterEach(() => server?.close());

interface Options {
  readonly handle?: (event: HttpEvent) => Promise<unknown>;
  readonly port?: number;
}

async function start({ handle = async () => ({}), port = 0 }: Options): Promise<string> {
  server = await serve({
    handler: async (event) => ({
      statusCode: 200,
      headers: {},
      body: JSON.stringify((await handle(event)) ?? null),
    }),
    host: '127.0.0.1',
    port,
    logger: createLogger({ service: 'tests', level: 'silent' }),
  });
  return `http://127.0.0.1:${server.port}`;
}

async function answerOf(asking: ClientRequest): Promise<IncomingMessage> {
  const [answer] = (await once(asking, 'response')) as [IncomingMessage];
  return answer.resume();
}

/** Requests a path unchanged. fetch would normalize it. */
async function ask(url: string, path: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  request({ hostname, port, path }, (response) => {
    response.setEncoding('utf8').once('data', resolve).once('error', reject);
  })
    .once('error', reject)
    .end();
  return promise;
}

describe("the container's server", () => {
  test('passes requests on as API Gateway does', async () => {
    const url = await start({
      handle: async (event) => {
        const { body, ...rest } = readRequest(event);
        return { ...rest, body: body.toString() };
      },
    });
    const response = await fetch(`${url}/a%20b?x=1&x=2&y=%C3%A9`, {
      method: 'POST',
      body: 'héllo',
      headers: { 'X-Custom': 'yes' },
    });
    await expect(response.json()).resolves.toMatchObject({
      method: 'POST',
      path: '/a%20b',
      query: { x: '1,2', y: 'é' },
      headers: { 'x-custom': 'yes' },
      body: 'héllo',
    });
  });

  test('refuses a much too large body before it has read all of it', async () => {
    const url = await start({});
    const status = await new Promise((resolve, reject) => {
      const sending = request(url, { method: 'POST' }, (response) => resolve(response.resume().statusCode));
      sending.on('error', reject);
      for (let sent = 0; sent < 20; sent += 1) sending.write(Buffer.alloc(65_536));
    });
    expect(status).toBe(413);
  });

  test('passes paths on unchanged', async () => {
    const url = await start({ handle: async (event) => readRequest(event).path });
    for (const path of ['/a%20b', '/%E0%A4%A', '//evil/orders/1', '/a/../b?x']) {
      const answer = await ask(url, path);
      expect(answer).toBe(JSON.stringify(path.split('?')[0]));
    }
  });

  test('answers running requests before it closes', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const url = await start({ handle: () => (begun.resolve(), promise) });
    const response = fetch(url);
    await begun.promise;
    const closed = server?.close();
    resolve();
    const answer = await response;
    expect(answer.status).toBe(200);
    expect(answer.headers.get('connection')).toBe('close');
    await closed;
  });

  test('tells its callers how long it keeps an idle connection', async () => {
    const url = await start({});
    const answer = await answerOf(request(url, { agent: new Agent({ keepAlive: true }) }).end());
    expect(answer.headers['keep-alive']).toBe('timeout=65');
  });

  test('reports that its port is taken', async () => {
    const url = await start({});
    const port = Number(new URL(url).port);
    const second = serve({
      handler: async () => ({ statusCode: 200, headers: {}, body: '' }),
      host: '127.0.0.1',
      port,
      logger: createLogger({ service: 'tests', level: 'silent' }),
    });
    await expect(second).rejects.toThrow(`Port ${port} of 127.0.0.1 is taken`);
  });
});
