import { afterEach, describe, expect, test } from '@jest/globals';
import { eventually } from 'baton-dev/testing/eventually';
import { RawCaller } from 'baton-dev/testing/raw-caller';
import { createLogger } from '../../telemetry/logger.ts';
import { CALLER_HEADER, signedCaller } from '../forwarded-caller.ts';
import { readRequest } from '../http-message.ts';
import type { RunningServer } from '../listener.ts';
import { serve } from '../server.ts';

const TOKEN = 'a secret of more than 32 characters';
const logger = createLogger({ service: 'tests', level: 'silent' });
let server: RunningServer;
let held = 0;
const callers: RawCaller[] = [];
afterEach(async () => {
  for (const caller of callers.splice(0)) caller.end();
  server.cut();
  await server.close();
});

/** Starts a service that works on 8 requests. It answers `/held` never, and `/long` with 8 MB. */
async function start(gatewayToken?: string): Promise<void> {
  held = 0;
  server = await serve({
    handler: async (event) => {
      const { path } = readRequest(event);
      if (path === '/held') await new Promise(() => (held += 1));
      return { statusCode: 200, headers: {}, body: path === '/long' ? 'x'.repeat(8_000_000) : 'done' };
    },
    host: '127.0.0.1',
    port: 0,
    logger,
    maxUnderWay: 8,
    gatewayToken,
  });
}

async function connected(): Promise<RawCaller> {
  const caller = await new RawCaller(server.port).connected();
  callers.push(caller);
  return caller;
}

const request = (path: string, said: string): string =>
  `GET ${path} HTTP/1.1\r\nhost: x\r\n${CALLER_HEADER}: ${said}\r\n\r\n`;
const signed = (caller: string): string => signedCaller(caller, TOKEN);

async function statusOf(bytes: string): Promise<number | undefined> {
  const caller = (await connected()).send(bytes);
  await eventually('an answer', () => caller.statuses.length > 0);
  return caller.statuses[0];
}

/** Sends 8 requests that are not answered. Resolves to how many of them get a place. */
async function placesOf(said: (index: number) => string): Promise<number> {
  const sent = await Promise.all(Array.from({ length: 8 }, connected));
  for (const [index, caller] of sent.entries()) caller.send(request('/held', said(index)));
  const refused = (): number => sent.filter(({ statuses }) => statuses.includes(503)).length;
  await eventually('all requests', () => held + refused() === 8);
  return held;
}

describe('of several callers behind the gateway', () => {
  test('one takes his share of the places, and the others get theirs', async () => {
    await start(TOKEN);
    expect(await placesOf(() => signed('192.0.2.1'))).toBe(4);
    expect(await statusOf(request('/', signed('192.0.2.1')))).toBe(503);
    expect(await statusOf(request('/', signed('192.0.2.2')))).toBe(200);
  });

  test('one stalls as many bodies as he can, and those of the others are read', async () => {
    await start(TOKEN);
    const post = (said: string): string => request('/', said).replace('GET', 'POST').slice(0, -2);
    const stalled = `${post(signed('192.0.2.1'))}content-length: 262144\r\n\r\n${' '.repeat(262_143)}`;
    for (let sent = 0; sent < 70; sent += 1) (await connected()).send(stalled);
    await eventually('a refusal', () => callers.some(({ statuses }) => statuses.includes(503)));
    expect(await statusOf(`${post(signed('192.0.2.2'))}content-length: 2\r\n\r\n{}`)).toBe(200);
  });

  test('one leaves as many answers unread as he can, and the others get theirs', async () => {
    await start(TOKEN);
    for (let sent = 0; sent < 2; sent += 1)
      (await connected()).sendUnread(request('/long', signed('192.0.2.1')));
    await eventually('unread answers', () => server.underWay === 2);
    expect(await statusOf(request('/long', signed('192.0.2.1')))).toBe(503);
    expect(await statusOf(request('/long', signed('192.0.2.2')))).toBe(200);
  });
});

describe('a caller who says himself who he is', () => {
  const another = (index: number): string => `192.0.2.${index}`;

  test.each([
    ['without a signature', another],
    ['with an empty one', (index: number) => `${another(index)} `],
    ['with the signature of another caller', (index: number) => `${another(index)} ${signed('x').slice(2)}`],
    ['with another secret', (index: number) => signedCaller(another(index), `${TOKEN}.`)],
    ['with two of them', (index: number) => `${signed(another(index))}, ${signed('x')}`],
    ['with signs that are not ASCII', (index: number) => `${another(index)} ${'é'.repeat(43)}`],
  ])('%s has one share', async (_what, said) => {
    await start(TOKEN);
    expect(await placesOf(said)).toBe(4);
    expect(await statusOf(request('/', another(99)))).toBe(503);
  });

  test('has one share at a service without a gateway', async () => {
    await start();
    expect(await placesOf((index) => signed(another(index)))).toBe(4);
  });
});
