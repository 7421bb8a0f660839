import { afterEach, describe, expect, test } from '@jest/globals';
import { request } from 'node:http';
import type { HttpEvent } from '@baton/common/http/http-message';
import { readRequest } from '@baton/common/http/http-message';
import { type RunningServer, serve } from '@baton/common/http/server';
import { createLogger } from '@baton/common/telemetry/logger';

let server: RunningServer | undefined;
afterEach(() => server?.close());

interface Options {
  readonly handle?: (event: HttpEvent) => Promise<unknown>;
  readonly ready?: () => Promise<unknown>;
  readonly port?: number;
}

async function start({
  handle = async () => ({}),
  ready = async () => undefined,
  port = 0,
}: Options): Promise<string> {
  server = await serve({
    handler: async (event) => ({
      statusCode: 200,
      headers: {},
      body: JSON.stringify((await handle(event)) ?? null),
    }),
    ready,
    host: '127.0.0.1',
    port,
    logger: createLogger({ service: 'tests', level: 'silent' }),
  });
  return `http://127.0.0.1:${server.port}`;
}

describe("the container's server", () => {
  test('hands requests over as API Gateway does', async () => {
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
      path: '/a b',
      query: { x: '1,2', y: 'é' },
      headers: { 'x-custom': 'yes' },
      body: 'héllo',
    });
  });

  test('says at /health/live that it runs, and at /health/ready why it cannot work', async () => {
    const url = await start({ ready: () => Promise.reject(new Error('no table')) });
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
    const ready = await fetch(`${url}/health/ready`);
    expect(ready.status).toBe(503);
    await expect(ready.json()).resolves.toEqual({ status: 'not ready', reason: 'no table' });
  });

  test('refuses a body that is far too large without reading it to its end', async () => {
    const url = await start({});
    const status = await new Promise((resolve, reject) => {
      const sending = request(url, { method: 'POST' }, (response) => resolve(response.resume().statusCode));
      sending.on('error', reject);
      for (let sent = 0; sent < 20; sent += 1) sending.write(Buffer.alloc(65_536));
    });
    expect(status).toBe(413);
  });

  test('answers a path that cannot be read with a problem', async () => {
    const url = await start({});
    const response = await fetch(`${url}/%E0%A4%A`);
    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
  });

  test('answers what is under way before it closes', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const url = await start({ handle: () => (begun.resolve(), promise) });
    const response = fetch(url);
    await begun.promise;
    const closed = server?.close();
    resolve();
    expect((await response).status).toBe(200);
    await closed;
  });

  test('says so when its port is taken', async () => {
    const url = await start({});
    const port = Number(new URL(url).port);
    const second = serve({
      handler: async () => ({ statusCode: 200, headers: {}, body: '' }),
      ready: async () => undefined,
      host: '127.0.0.1',
      port,
      logger: createLogger({ service: 'tests', level: 'silent' }),
    });
    await expect(second).rejects.toThrow(`Port ${port} of 127.0.0.1 is taken`);
  });
});
