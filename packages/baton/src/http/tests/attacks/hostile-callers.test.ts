import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from 'baton-dev/testing/eventually';
import { createLogger } from '../../../telemetry/logger.ts';
import { Health } from '../../health.ts';
import { type HttpEvent, readRequest } from '../../http-message.ts';
import type { ConnectionTimeouts, RunningServer } from '../../listener.ts';
import { RateLimit } from '../../rate-limit.ts';
import { serve } from '../../server.ts';
import { answerTo, RawCaller } from 'baton-dev/testing/raw-caller';

const GET = 'GET /x HTTP/1.1\r\nhost: x\r\n\r\n';
const POST = 'POST /x HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n';
/** A body in thousands of chunks, each of so many bytes. */
const inChunks = (chunks: number, bytes: number): string =>
  `${POST}transfer-encoding: chunked\r\n\r\n${`${bytes.toString(16)}\r\n${' '.repeat(bytes)}\r\n`.repeat(chunks)}`;
/** A body of which the last byte never comes. */
const STALLED = `${POST}content-length: 262144\r\n\r\n${' '.repeat(262_143)}`;

const logger = createLogger({ service: 'tests', level: 'silent' });
let server: RunningServer | undefined;
const callers: RawCaller[] = [];
afterEach(async () => {
  for (const caller of callers.splice(0)) caller.end();
  server?.cut();
  await server?.close();
});

interface Options extends ConnectionTimeouts {
  readonly rateLimit?: RateLimit;
  readonly handle?: (event: HttpEvent) => Promise<unknown>;
}

/** Starts a server that answers what `handle` returns. */
async function start({ handle = async () => 'done', ...timeouts }: Options = {}): Promise<number> {
  server = await serve({
    health: new Health({ ready: {}, logger }),
    handler: async (event) => ({
      statusCode: 200,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(await handle(event)),
    }),
    host: '127.0.0.1',
    port: 0,
    logger,
    ...timeouts,
  });
  return server.port;
}

async function callerOf(port: number, from?: string): Promise<RawCaller> {
  const caller = new RawCaller(port, from);
  callers.push(caller);
  return caller.connected();
}

/** The status of one more request, from another address. */
async function statusOfAnother(port: number, request: string): Promise<number | undefined> {
  const caller = (await callerOf(port, '127.0.0.2')).send(request);
  await eventually('an answer', () => caller.statuses.length > 0);
  return caller.statuses[0];
}

describe('a caller who hangs up', () => {
  const posted = `${POST}content-length: 2\r\n\r\n{}`;

  /** Sends a request and hangs up once it is worked on. Resolves to the status if it was refused. */
  async function hangUp(port: number, begun: () => number): Promise<number | undefined> {
    const before = begun();
    const caller = (await callerOf(port)).send(posted);
    await eventually('a turn', () => begun() > before || caller.statuses.length > 0);
    caller.end();
    return caller.statuses[0];
  }

  test('gets no place for another request while the code of his routes runs', async () => {
    let begun = 0;
    const gate = Promise.withResolvers<void>();
    const handle = async () => {
      begun += 1;
      await gate.promise;
    };
    const port = await start({ handle, maxUnderWay: 8 });
    for (let times = 0; times < 12; times += 1) await hangUp(port, () => begun);
    expect(begun).toBe(4);
    gate.resolve();
    await eventually('his places', async () => (await hangUp(port, () => begun)) !== 503);
  });

  test('gets his places back in the end, although the code of a route never ends', async () => {
    let begun = 0;
    const handle = (): Promise<void> => {
      begun += 1;
      return Promise.withResolvers<void>().promise;
    };
    const port = await start({ handle, maxUnderWay: 8, answerTimeoutSeconds: 0.5 });
    for (let times = 0; times < 4; times += 1) await hangUp(port, () => begun);
    expect(await hangUp(port, () => begun)).toBe(503);
    await eventually('his places', async () => (await hangUp(port, () => begun)) !== 503);
  });
});

test('a caller who sends too many requests loses the connection, and those that wait on it', async () => {
  const rateLimit = new RateLimit({ perSecond: 1, burst: 1, trustedProxies: [] });
  const caller = (await callerOf(await start({ rateLimit }))).send(GET.repeat(10));
  await caller.untilClosed();
  expect(caller.statuses).toEqual([200, 429]);
});

describe('a connection with requests that do not wait for answers', () => {
  test('has one under way at a time, and its answers come in order', async () => {
    let underWay = 0;
    let most = 0;
    const port = await start({
      handle: async (event) => {
        most = Math.max(most, (underWay += 1));
        await sleep(1);
        underWay -= 1;
        return readRequest(event).path;
      },
    });
    const paths = Array.from({ length: 15 }, (_, index) => `/${index}`);
    const caller = await callerOf(port);
    caller.send(paths.map((path) => `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`).join(''));
    await eventually('all answers', () => caller.statuses.length === paths.length);
    expect([...caller.answered.matchAll(/"(\/\d+)"/g)].map(([, path]) => path)).toEqual(paths);
    expect(most).toBe(1);
  });

  test('is read no further while requests wait', async () => {
    const gate = Promise.withResolvers<void>();
    let begun = 0;
    const port = await start({ handle: () => ((begun += 1), gate.promise.then(() => 'done')) });
    const caller = await callerOf(port);
    const long = `GET / HTTP/1.1\r\nhost: x\r\nx-long: ${'x'.repeat(15_000)}\r\n\r\n`;
    for (let sent = 0; sent < 500; sent += 1) caller.send(long);
    await eventually('a request under way', () => begun === 1);
    // What was not read fills the socket, so the caller cannot send the rest
    let before = -1;
    let unchanged = 0;
    await eventually('a socket that takes nothing more', () => {
      const { writableLength } = caller.socket;
      unchanged = writableLength === before ? unchanged + 1 : 0;
      before = writableLength;
      return writableLength > 0 && unchanged >= 10;
    });
    expect([begun, caller.closed]).toEqual([1, false]);
    gate.resolve();
    await eventually('all answers', () => caller.statuses.length === 500);
  });

  test('is closed if far more wait than a caller needs', async () => {
    const port = await start({ handle: () => new Promise(() => undefined) });
    const caller = (await callerOf(port)).send(GET.repeat(2000));
    expect(await caller.untilClosed()).toBe('');
    await eventually('nothing under way', () => server?.underWay === 0);
  });

  test('is closed if a body in chunks comes behind another request, because Node keeps each chunk by itself', async () => {
    const port = await start({ handle: () => new Promise(() => undefined) });
    const chunked = `${POST}transfer-encoding: chunked\r\n\r\n1\r\nx\r\n`;
    const caller = (await callerOf(port)).send(GET + chunked);
    expect(await caller.untilClosed()).toBe('');
  });

  test('passes a body on that comes behind another request', async () => {
    const port = await start({ handle: async (event) => readRequest(event).body.toString() });
    const caller = await callerOf(port);
    caller.send(`${GET}${POST}content-length: 6\r\n\r\n"on`);
    await eventually('the first answer', () => caller.statuses.length === 1);
    caller.send(`e"\n${GET}`);
    await eventually('all answers', () => caller.statuses.length === 3);
    expect(caller.answered).toContain(JSON.stringify('"one"\n'));
  });
});

describe('a server', () => {
  test('answers 503 with Retry-After beyond the requests that it takes, and takes more once they end', async () => {
    const gate = Promise.withResolvers<void>();
    const port = await start({ maxUnderWay: 8, handle: () => gate.promise.then(() => 'done') });
    for (let sent = 0; sent < 4; sent += 1) (await callerOf(port)).send(GET);
    await eventually('requests under way', () => server?.underWay === 4);
    const refused = await answerTo(port, GET);
    expect(refused).toMatch(/^HTTP\/1\.1 503 /);
    expect(refused).toContain('retry-after: 1\r\n');
    expect(refused).toContain('urn:baton:problem:service-unavailable');
    gate.resolve();
    await eventually('room', () => server?.underWay === 0);
    expect(await statusOfAnother(port, GET)).toBe(200);
  });

  test('answers 429 with Retry-After to a caller who sends too many requests, and the others as before', async () => {
    const handle = jest.fn(async () => 'done');
    const rateLimit = new RateLimit({ perSecond: 1, burst: 3, trustedProxies: [], now: () => 0 });
    const port = await start({ handle, rateLimit });
    const answers = await Promise.all(Array.from({ length: 10 }, () => fetch(`http://127.0.0.1:${port}/x`)));
    const refused = answers.filter(({ status }) => status === 429);
    expect([refused.length, handle.mock.calls.length]).toEqual([7, 3]);
    expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThan(0);
    await expect(refused[0]?.json()).resolves.toMatchObject({ type: 'urn:baton:problem:too-many-requests' });
    expect((await fetch(`http://127.0.0.1:${port}/health/live`)).status).toBe(200);
    expect(await statusOfAnother(port, GET)).toBe(200);
  });

  test('cuts off an answer that nobody reads', async () => {
    const port = await start({ answerTimeoutSeconds: 1, handle: async () => 'x'.repeat(12_000_000) });
    const caller = (await callerOf(port)).sendUnread(GET);
    await eventually('the answer', () => server?.underWay === 1);
    await eventually('nothing under way', () => server?.underWay === 0);
    caller.send('');
    expect((await caller.untilClosed()).length).toBeLessThan(12_000_000);
  });

  test('answers 503 while answers that nobody reads take all the memory of one peer', async () => {
    const port = await start({ handle: async () => 'x'.repeat(8_000_000) });
    for (let sent = 0; sent < 2; sent += 1) (await callerOf(port)).sendUnread(GET);
    await eventually('unread answers', () => server?.underWay === 2);
    expect(await answerTo(port, GET)).toMatch(/^HTTP\/1\.1 503 /);
    expect(await statusOfAnother(port, GET)).toBe(200);
  });

  test('answers others, and health, while one caller leaves as many answers unread as the server works on', async () => {
    const port = await start({ maxUnderWay: 4, handle: async () => 'x'.repeat(4_000_000) });
    for (let sent = 0; sent < 4; sent += 1) (await callerOf(port)).sendUnread(GET);
    await eventually('unread answers', () => server?.underWay === 4);
    expect(await statusOfAnother(port, GET)).toBe(200);
    expect((await fetch(`http://127.0.0.1:${port}/health/live`)).status).toBe(200);
  });

  test('works on requests of others while one caller has all that it gets, and always answers health', async () => {
    const gate = Promise.withResolvers<void>();
    const held = async (event: HttpEvent) => readRequest(event).path === '/x' && gate.promise;
    const port = await start({ maxUnderWay: 8, handle: held });
    for (let sent = 0; sent < 8; sent += 1) (await callerOf(port)).send(GET);
    await eventually('refusals', () => callers.filter(({ statuses }) => statuses.includes(503)).length === 4);
    expect(await statusOfAnother(port, GET.replace('/x', '/y'))).toBe(200);
    expect((await fetch(`http://127.0.0.1:${port}/health/live`)).status).toBe(200);
    gate.resolve();
  });

  test('has at most half of its connections with one peer', async () => {
    const port = await start();
    const many = Array.from({ length: 1001 }, () => new RawCaller(port));
    callers.push(...many);
    await Promise.all(many.map((caller) => caller.connected()));
    await eventually('one is closed', () => {
      for (const caller of many) caller.socket.resume();
      return many.filter(({ closed }) => closed).length === 1;
    });
    expect(await statusOfAnother(port, GET)).toBe(200);
  });
});

describe('a body', () => {
  test('is refused by the length that it announces, before any of it comes', async () => {
    const handle = jest.fn(async () => 'done');
    const port = await start({ handle });
    const answer = await answerTo(port, `${POST}content-length: 262145\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toContain('The body has 262145 bytes; expected at most 262144.');
    expect(handle).not.toHaveBeenCalled();
  });

  test('is not asked for if it would be refused, and is if not (100-continue)', async () => {
    const port = await start();
    const expecting = `${POST}expect: 100-continue\r\n`;
    expect(await answerTo(port, `${expecting}content-length: 262145\r\n\r\n`)).toMatch(/^HTTP\/1\.1 413 /);
    const caller = (await callerOf(port)).send(`${expecting}content-length: 2\r\n\r\n`);
    await eventually('100', () => caller.statuses.includes(100));
    caller.send('{}');
    await eventually('the answer', () => caller.statuses.includes(200));
  });

  test('with chunks is refused once more bytes have come than a body may have', async () => {
    const port = await start();
    const chunk = `10000\r\n${' '.repeat(0x10000)}\r\n`;
    const answer = await answerTo(port, `${POST}transfer-encoding: chunked\r\n\r\n${chunk.repeat(5)}`);
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  });

  test.each([
    ['does not come', `${POST}content-length: 2\r\n\r\n`],
    ['stops in the middle', `${POST}content-length: 2\r\n\r\n{`],
    ['stops in a chunk', `${POST}transfer-encoding: chunked\r\n\r\n2\r\n{`],
  ])('that %s is answered with 408 in a few seconds, and the connection closes', async (_what, text) => {
    const port = await start({ bodyTimeoutSeconds: 1 });
    const beganAtMs = performance.now();
    const answer = await answerTo(port, text);
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(answer).toContain('urn:baton:problem:body-too-slow');
    expect(performance.now() - beganAtMs).toBeLessThan(5000);
  });

  test('that comes byte by byte is answered with 408 as well', async () => {
    const port = await start({ bodyTimeoutSeconds: 1 });
    const caller = (await callerOf(port)).send(`${POST}content-length: 1000\r\n\r\n`);
    const dripping = setInterval(() => caller.send(' '), 20);
    try {
      expect(await caller.untilClosed()).toMatch(/^HTTP\/1\.1 408 /);
    } finally {
      clearInterval(dripping);
    }
  });

  test('counts by the bytes that came: a hundred callers who announce much keep nobody out', async () => {
    const port = await start();
    for (let sent = 0; sent < 100; sent += 1)
      (await callerOf(port)).send(`${POST}content-length: 262144\r\n\r\n{`);
    await eventually('bodies', () => server?.underWay === 100);
    expect((await fetch(`http://127.0.0.1:${port}/x`, { method: 'POST', body: '{}' })).status).toBe(200);
  });

  test('of another caller is still read while one caller stalls as many as it can', async () => {
    const port = await start();
    for (let sent = 0; sent < 70; sent += 1) (await callerOf(port)).send(STALLED);
    await eventually('a refusal', () => callers.some((caller) => caller.statuses.includes(503)));
    expect(callers.find((caller) => caller.statuses.includes(503))?.answered).toContain('retry-after: 1');
    expect(await statusOfAnother(port, `${POST}content-length: 2\r\n\r\n{}`)).toBe(200);
  });

  test('of another caller, and health, are still answered while two callers stall more than the server works on', async () => {
    const port = await start({ maxUnderWay: 8 });
    for (const from of ['127.0.0.1', '127.0.0.3'])
      for (let sent = 0; sent < 8; sent += 1)
        (await callerOf(port, from)).send(`${POST}content-length: 2\r\n\r\n{`);
    await eventually('stalled bodies', () => (server?.underWay ?? 0) >= 8);
    expect(await statusOfAnother(port, `${POST}content-length: 2\r\n\r\n{}`)).toBe(200);
    expect((await fetch(`http://127.0.0.1:${port}/health/live`)).status).toBe(200);
  });
});

describe('a body in chunks', () => {
  test('of a byte is refused after some, and what follows is thrown away', async () => {
    const port = await start();
    const caller = (await callerOf(port)).send(inChunks(50_000, 1));
    expect(await caller.untilClosed()).toMatch(/ 413 [\s\S]*expected at least 16 bytes a chunk/);
  });

  test('of a few bytes is read, however many there are', async () => {
    const port = await start({ handle: async (event) => readRequest(event).body.byteLength });
    const caller = (await callerOf(port)).send(`${inChunks(10_000, 20)}2\r\n{}\r\n0\r\n\r\n`);
    await eventually('an answer', () => caller.statuses.length > 0);
    expect(caller.answered).toContain('200002');
  });
});
