import { afterEach, describe, expect, test } from '@jest/globals';
import { eventually } from 'baton-dev/testing/eventually';
import { RawCaller } from 'baton-dev/testing/raw-caller';
import { createLogger } from '../../../telemetry/logger.ts';
import { readRequest } from '../../http-message.ts';
import type { RunningServer } from '../../listener.ts';
import { serve } from '../../server.ts';

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`;
/** A body of which the last byte never comes. */
const STALLED = 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{';
const NEWCOMER = '127.0.0.99';

const logger = createLogger({ service: 'tests', level: 'silent' });
let server: RunningServer | undefined;
const callers: RawCaller[] = [];
const gate = Promise.withResolvers<void>();
afterEach(async () => {
  for (const caller of callers.splice(0)) caller.end();
  server?.cut();
  await server?.close();
});

/** Starts a server. It answers `/held` never, and `/long` with more than a socket takes. */
async function start(maxConnections?: number): Promise<number> {
  server = await serve({
    handler: async (event) => {
      const { path } = readRequest(event);
      if (path === '/held') await gate.promise;
      return { statusCode: 200, headers: {}, body: path === '/long' ? 'x'.repeat(4_000_000) : 'done' };
    },
    host: '127.0.0.1',
    port: 0,
    logger,
    ...(maxConnections !== undefined && { maxConnections }),
  });
  return server.port;
}

/** Opens connections from an address, one after the other, so that they have an order. */
async function open(port: number, from: string, count: number): Promise<RawCaller[]> {
  const opened: RawCaller[] = [];
  for (let index = 0; index < count; index += 1)
    opened.push(await new RawCaller(port, from).connected().then((caller) => caller.send('')));
  callers.push(...opened);
  return opened;
}

/** The connections that are still open, once as many as expected are. */
async function stillOpen(opened: readonly RawCaller[], count: number): Promise<RawCaller[]> {
  const left = (): RawCaller[] => opened.filter(({ closed }) => !closed);
  await eventually(`${count} open connections`, () => left().length === count);
  return left();
}

/** The status of a request on a new connection. Undefined if the connection is closed without an answer. */
async function statusOf(port: number, from: string): Promise<number | undefined> {
  const [caller] = (await open(port, from, 1)) as [RawCaller];
  caller.send(get('/'));
  await eventually('an answer or an end', () => caller.statuses.length > 0 || caller.closed);
  return caller.statuses[0];
}

describe('a server whose connections others have', () => {
  test('lets a newcomer in although eleven peers have opened all that they get', async () => {
    const port = await start();
    // Half, half of the rest, and so on, and some more than that
    for (let peer = 1; peer <= 11; peer += 1)
      await open(port, `127.0.0.${peer}`, Math.ceil(2000 / 2 ** peer) + 2);
    expect(await statusOf(port, NEWCOMER)).toBe(200);
  }, 60_000);

  test('closes the connection of the largest peer that has been idle for longest', async () => {
    const port = await start(40);
    const largest = await open(port, '127.0.0.1', 20);
    const others = await open(port, '127.0.0.2', 10);
    await open(port, '127.0.0.3', 8);
    await open(port, '127.0.0.4', 2);
    largest[0]?.send(get('/'));
    await eventually('an answer', () => largest[0]?.statuses.length === 1);
    expect(await statusOf(port, NEWCOMER)).toBe(200);
    expect(await stillOpen(largest, 19)).toEqual(largest.filter((_caller, index) => index !== 1));
    expect(await stillOpen(others, 10)).toHaveLength(10);
  });

  test('closes none on which it works', async () => {
    const port = await start(40);
    const largest = await open(port, '127.0.0.1', 20);
    for (const caller of largest) caller.send(get('/held'));
    await eventually('requests under way', () => server?.underWay === 20);
    const others = await open(port, '127.0.0.2', 20);
    expect(await statusOf(port, NEWCOMER)).toBe(200);
    expect(await stillOpen(largest, 20)).toHaveLength(20);
    expect(others.filter(({ closed }) => closed).length).toBeGreaterThan(0);
  });

  test.each([
    ['send bodies without end', STALLED],
    ['read no answers', get('/long')],
  ])('closes connections of the largest peer that %s, once it has no idle ones', async (_what, bytes) => {
    const port = await start(16);
    const largest = await open(port, '127.0.0.1', 8);
    for (const caller of largest.slice(0, 4)) caller.sendUnread(bytes);
    await eventually('requests under way', () => server?.underWay === 4);
    await open(port, '127.0.0.2', 8);
    for (let peer = 1; peer <= 10; peer += 1) expect(await statusOf(port, `127.0.1.${peer}`)).toBe(200);
    await eventually('fewer requests under way', () => server?.underWay === 3);
  });

  test('gives all peers the same number in the end, in whatever order they come', async () => {
    const port = await start(40);
    const peers: RawCaller[][] = [];
    for (let peer = 1; peer <= 5; peer += 1) peers.push(await open(port, `127.0.0.${peer}`, 30));
    const left = (): number[] => peers.map((each) => each.filter(({ closed }) => !closed).length);
    await eventually('110 closed connections', () => left().reduce((sum, count) => sum + count) === 40);
    expect(left()).toEqual([8, 8, 8, 8, 8]);
  });

  test('refuses a peer that has as many as any other', async () => {
    const port = await start(16);
    const peers = [await open(port, '127.0.0.1', 8), await open(port, '127.0.0.2', 8)];
    expect(await statusOf(port, '127.0.0.2')).toBeUndefined();
    expect(await stillOpen(peers.flat(), 16)).toHaveLength(16);
  });
});
