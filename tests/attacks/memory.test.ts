import { afterAll, afterEach, expect, test } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from 'baton-dev/testing/eventually';
import { freePort, Program } from 'baton-dev/testing/program';
import { RawCaller } from 'baton-dev/testing/raw-caller';

const CONNECTIONS = 20;
const REQUESTS = 2000;
/** The memory of a container. */
const MAX_MEGABYTES = 256;

const folder = mkdtempSync(join(tmpdir(), 'baton-pipelining-'));
const STACK_FILE = join(folder, 'stack.json');
let program: Program | undefined;
const callers: RawCaller[] = [];
afterEach(async () => {
  for (const caller of callers.splice(0)) caller.end();
  await program?.stop('SIGKILL');
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ENVIRONMENT = {
  AWS_REGION: 'us-east-1',
  AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
  QUEUE_URL_PREFIX: 'http://127.0.0.1:9/000000000000/baton-dev-',
  TASKS_TABLE: 'tasks',
  NOTES_TABLE: 'notes',
  LOG_LEVEL: 'warn',
  AUTHENTICATION: 'none',
  STACK_FILE,
  // What Node takes by itself in a container of 256 MB, and what the images set
  NODE_OPTIONS: '--max-old-space-size=128 --max-semi-space-size=4',
};

/** The most memory that a process has used so far, in MB. */
function peakMegabytes(pid: number): number {
  const [, kilobytes = '0'] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) / 1024;
}

/** Whether a server answers. */
function answersAt(url: string): Promise<boolean> {
  return fetch(url).then(
    ({ status }) => status === 404,
    () => false,
  );
}

const TOKEN = 'a secret of more than 32 characters';
/** A function's largest event. */
const EVENT_BYTES = 6_000_000;

test('a service stays within its memory if the events of its functions do not end', async () => {
  const [PORT, FUNCTIONS_PORT] = [String(await freePort()), String(await freePort())];
  const own = { PORT, FUNCTIONS_PORT, FUNCTIONS_TOKEN: TOKEN };
  program = new Program('packages/baton/tests/support/notes-service.ts', { ...ENVIRONMENT, ...own });
  await eventually('the service', () => answersAt(`http://127.0.0.1:${PORT}/nope`), 30_000);
  const head = `POST /2015-03-31/functions/filing/invocations HTTP/1.1\r\nhost: x\r\nx-functions-token: ${TOKEN}\r\ncontent-length: ${EVENT_BYTES}\r\n\r\n`;
  for (let index = 0; index < 60; index += 1) {
    const caller = await new RawCaller(Number(FUNCTIONS_PORT)).connected();
    callers.push(caller.send(head).send(Buffer.alloc(EVENT_BYTES - 1, ' ')));
  }
  await eventually(
    'refusals',
    () => callers.filter(({ statuses }) => statuses.includes(429)).length > 40,
    30_000,
  );
  expect(await answersAt(`http://127.0.0.1:${PORT}/nope`)).toBe(true);
  expect(peakMegabytes(program.pid)).toBeLessThan(MAX_MEGABYTES);
}, 60_000);

const HEAD = 'HTTP/1.1\r\nhost: localhost\r\n';
/** A request that is under way for long, because the table does not answer. */
const SLOW = `GET /notes/1 ${HEAD}\r\n`;
const CHUNKED = `POST /notes ${HEAD}content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n`;
const inBytes = (count: number): string => '1\r\nx\r\n'.repeat(count);
const headers = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index)).join('');

test.each([
  ['3 callers send bodies in chunks of one byte', 3, CHUNKED + inBytes(250_000)],
  ['100 callers send such bodies behind another request', 100, SLOW + CHUNKED + inBytes(10_000)],
  [
    '250 callers send requests with 900 headers behind another one',
    250,
    SLOW + `GET / ${HEAD}${headers(900, () => 'a:\r\n')}\r\n`.repeat(15),
  ],
  [
    '900 callers send requests with 99 headers behind another one',
    900,
    SLOW + `GET / ${HEAD}${headers(98, (index) => `x${index}: ${'v'.repeat(29)}\r\n`)}\r\n`.repeat(16),
  ],
  ['200 callers send thousands of the shortest requests', 200, SLOW + 'GET / HTTP/1.1\r\n\r\n'.repeat(3500)],
  [
    '900 callers send hundreds of requests with short headers',
    900,
    SLOW + `GET / HTTP/1.1\r\n${'a:\r\n'.repeat(99)}\r\n`.repeat(150),
  ],
])(
  'a service stays within its memory if %s',
  async (_what, connections, bytes) => {
    const table = createServer().listen(0, '127.0.0.1');
    await once(table, 'listening');
    const AWS_ENDPOINT_URL = `http://127.0.0.1:${(table.address() as AddressInfo).port}`;
    const PORT = await freePort();
    program = new Program('packages/baton/tests/support/notes-service.ts', {
      ...ENVIRONMENT,
      AWS_ENDPOINT_URL,
      PORT: String(PORT),
    });
    const answers = () => answersAt(`http://127.0.0.1:${PORT}/nope`);
    await eventually('the service', answers, 30_000);
    const all = Array.from({ length: connections }, () => new RawCaller(PORT, '127.0.0.2'));
    callers.push(...all);
    await Promise.all(all.map((caller) => caller.connected()));
    for (const caller of all) caller.sendUnread(bytes);
    for (let asked = 0; asked < 5; asked += 1) {
      expect(await answers()).toBe(true);
      await sleep(200);
    }
    expect(peakMegabytes(program.pid)).toBeLessThan(MAX_MEGABYTES);
    table.close();
  },
  60_000,
);

test.each([
  ['a service', 'packages/baton/tests/support/notes-service.ts'],
  ['the gateway', 'packages/baton-dev/src/containers/gateway/main.ts'],
])(
  '%s stays within its memory if callers send thousands of requests and read no answer',
  async (_what, file) => {
    writeFileSync(STACK_FILE, JSON.stringify({ functions: {}, resources: {}, stage: 'test' }));
    const PORT = String(await freePort());
    const [FUNCTIONS_PORT, HEALTH_PORT] = [String(await freePort()), String(await freePort())];
    const own = { PORT, FUNCTIONS_PORT, HEALTH_PORT, FUNCTIONS_TOKEN: TOKEN };
    program = new Program(file, { ...ENVIRONMENT, ...own });
    const answers = () => answersAt(`http://127.0.0.1:${PORT}/nope`);
    await eventually('an answer', answers, 30_000);
    const get = 'GET /nope HTTP/1.1\r\nhost: localhost\r\n\r\n'.repeat(REQUESTS);
    for (let index = 0; index < CONNECTIONS; index += 1) {
      const caller = new RawCaller(Number(PORT));
      callers.push(caller);
      await caller.connected();
      caller.sendUnread(get);
    }
    for (let asked = 0; asked < 5; asked += 1) expect(await answers()).toBe(true);
    expect(peakMegabytes(program.pid)).toBeLessThan(MAX_MEGABYTES);
  },
  60_000,
);
