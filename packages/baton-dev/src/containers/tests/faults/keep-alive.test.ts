import { afterEach, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, Program } from '../../../testing/program.ts';

/** AWS load balancers keep an idle connection for 60 s. */
const IDLE_MS = 61_000;

const folder = mkdtempSync(join(tmpdir(), 'baton-gateway-'));
const sockets: Socket[] = [];
let gateway: Program | undefined;
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await gateway?.stop('SIGKILL');
  rmSync(folder, { recursive: true });
});

async function connectTo(port: string): Promise<Socket> {
  const socket = connect(Number(port), '127.0.0.1').on('error', () => undefined);
  sockets.push(socket);
  await once(socket, 'connect');
  return socket;
}

/** The first line of the answer; empty if the connection is closed. */
async function ask(socket: Socket): Promise<string> {
  if (socket.closed) return '';
  socket.write('GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n');
  const [bytes] = (await Promise.race([once(socket, 'data'), once(socket, 'close')])) as [unknown];
  return Buffer.isBuffer(bytes) ? (bytes.toString().split('\r\n')[0] ?? '') : '';
}

test('the gateway keeps an idle connection longer than a load balancer does, on both ports', async () => {
  const [PORT, FUNCTIONS_PORT] = [String(await freePort()), String(await freePort())];
  const STACK_FILE = join(folder, 'stack.json');
  writeFileSync(STACK_FILE, JSON.stringify({ functions: {}, resources: {}, stage: 'test' }));
  const FUNCTIONS_TOKEN = 'a secret of more than 32 characters';
  const HEALTH_PORT = String(await freePort());
  const environment = { STACK_FILE, PORT, HEALTH_PORT, FUNCTIONS_PORT, FUNCTIONS_TOKEN };
  gateway = new Program('packages/baton-dev/src/containers/gateway/main.ts', environment);
  await gateway.says('listening');
  const ports = [PORT, FUNCTIONS_PORT];
  const used = await Promise.all(ports.map(connectTo));
  const fresh = await Promise.all(ports.map(connectTo));
  const before = await Promise.all(used.map(ask));
  expect(before.every((line) => line.startsWith('HTTP/1.1 '))).toBe(true);
  await sleep(IDLE_MS);
  expect(await Promise.all(used.map(ask))).toEqual(before);
  expect(await Promise.all(fresh.map(ask))).toEqual(before);
}, 120_000);
