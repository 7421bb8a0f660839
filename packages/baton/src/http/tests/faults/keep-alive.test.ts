import { afterEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { listenAt, type RunningServer } from '../../listener.ts';
import { eventually } from 'baton-dev/testing/eventually';
import { freePort, Program } from 'baton-dev/testing/program';

const IDLE_MS = 61_000;
const GET = 'GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n';

const programs: Program[] = [];
const sockets: Socket[] = [];
let server: RunningServer | undefined;
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const program of programs.splice(0)) await program.stop('SIGKILL');
  server?.cut();
  await server?.close();
  server = undefined;
});

async function connectTo(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  sockets.push(socket);
  await once(socket, 'connect');
  return socket;
}

/** The first line of the answer. Empty if the connection is closed. */
async function ask(socket: Socket): Promise<string> {
  if (socket.closed) return '';
  socket.write(GET);
  const [bytes] = (await Promise.race([once(socket, 'data'), once(socket, 'close')])) as [unknown];
  return Buffer.isBuffer(bytes) ? (bytes.toString().split('\r\n')[0] ?? '') : '';
}

const ENVIRONMENT = {
  AWS_REGION: 'us-east-1',
  AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
  QUEUE_URL_PREFIX: 'http://127.0.0.1:9/000000000000/baton-dev-',
  TASKS_TABLE: 'tasks',
  NOTES_TABLE: 'notes',
  FUNCTIONS_TOKEN: 'a secret of more than 32 characters',
  AUTHENTICATION: 'none',
};

test('services, their functions and workers keep an idle connection for longer than a load balancer does', async () => {
  const ports = await Promise.all(Array.from({ length: 3 }, freePort));
  const [service = 0, functions = 0, health = 0] = ports;
  const started: [string, Record<string, number>][] = [
    ['packages/baton/tests/support/notes-service.ts', { PORT: service, FUNCTIONS_PORT: functions }],
    ['packages/baton/tests/support/worker-main.ts', { HEALTH_PORT: health }],
  ];
  for (const [file, own] of started) {
    const environment = Object.entries(own).map(([name, port]) => [name, String(port)]);
    programs.push(new Program(file, { ...ENVIRONMENT, ...Object.fromEntries(environment) }));
  }
  await eventually('all servers', async () => {
    const open = await Promise.all(ports.map((port) => connectTo(port).catch(() => undefined)));
    return open.every(Boolean);
  });
  const used = await Promise.all(ports.map(connectTo));
  const fresh = await Promise.all(ports.map(connectTo));
  const before = await Promise.all(used.map(ask));
  expect(before.every((line) => line.startsWith('HTTP/1.1 '))).toBe(true);
  await sleep(IDLE_MS);
  expect(await Promise.all(used.map(ask))).toEqual(before);
  expect(await Promise.all(fresh.map(ask))).toEqual(before);
}, 120_000);

describe('a server', () => {
  const listen = async (keepAliveSeconds: number, requestTimeoutSeconds: number): Promise<number> => {
    const timeouts = { keepAliveSeconds, requestTimeoutSeconds };
    server = await listenAt(
      { host: '127.0.0.1', port: 0, ...timeouts },
      {
        answer: async ({ request, response }) => {
          // Rejects if the connection closes before the body has come
          await once(request.resume(), 'end').catch(() => undefined);
          response.end();
        },
        refuse: (response) => response.destroy(),
      },
    );
    return server.port;
  };
  const closedAfterMs = async (socket: Socket): Promise<number> => {
    const beganAtMs = performance.now();
    socket.resume();
    await once(socket, 'close');
    return performance.now() - beganAtMs;
  };

  test('closes a connection once it was idle for keepAliveSeconds', async () => {
    const socket = await connectTo(await listen(1, 6));
    expect(await ask(socket)).toBe('HTTP/1.1 200 OK');
    const closedMs = await closedAfterMs(socket);
    expect(closedMs).toBeGreaterThan(900);
    expect(closedMs).toBeLessThan(4000);
  });

  test.each([
    ['nothing', ''],
    ['half of a header', 'GET / HTTP'],
    ['half of a body', 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{'],
  ])('waits for a request after %s for requestTimeoutSeconds, not up to 30 s longer', async (_what, text) => {
    const socket = await connectTo(await listen(1, 3));
    socket.write(text);
    const closedMs = await closedAfterMs(socket);
    expect(closedMs).toBeGreaterThan(2500);
    expect(closedMs).toBeLessThan(6000);
  });
});
