import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { TaskClient, TaskStore } from 'baton-tasks/tooling';
import { type Backends, startBackends } from '../support/backends.ts';
import { eventually } from 'baton-dev/testing/eventually';
import { freePort, Program } from 'baton-dev/testing/program';
import { Proxy } from 'baton-dev/testing/proxy';
import { RunningService } from 'baton-dev/testing/service';
import { createNotesTable } from '../support/notes-table.ts';
import { end } from '../support/thread-tasks.ts';
import { count } from '../support/tracked-tasks.ts';

const DRAIN_SECONDS = 2;
/** A service's drain time and 3 s: less than the 5 s after which it would end with status 124. */
const SERVICE_WITHIN_MS = (DRAIN_SECONDS + 3) * 1000;
/** A worker's drain time and all other waits of a stop, without the reserve. */
const WORKER_WITHIN_MS = (DRAIN_SECONDS + 1 + 20) * 1000;
const BLOCKED_THREADS = pathToFileURL(join(import.meta.dirname, '../support/blocked-threads.js')).href;

let folder: string;
let backends: Backends;
let sqs: Proxy;
let dynamoDb: Proxy;
let environment: Record<string, string>;
const programs: Program[] = [];
const sockets: Socket[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'baton-stop-'));
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  backends = await startBackends(['default']);
  sqs = await Proxy.start(backends.environment['AWS_ENDPOINT_URL_SQS'] ?? '');
  dynamoDb = await Proxy.start(backends.environment['AWS_ENDPOINT_URL_DYNAMODB'] ?? '');
  environment = {
    ...backends.environment,
    AWS_ENDPOINT_URL_SQS: sqs.endpoint,
    AWS_ENDPOINT_URL_DYNAMODB: dynamoDb.endpoint,
    NOTES_TABLE: await createNotesTable(backends),
    DRAIN_TIMEOUT_SECONDS: String(DRAIN_SECONDS),
    WORKER_DRAIN_TIMEOUT_SECONDS: String(DRAIN_SECONDS),
    NODE_OPTIONS: `--import=${BLOCKED_THREADS}`,
    BLOCKING_PIPE: join(folder, 'pipe'),
  };
});
afterEach(async () => {
  for (const program of programs.splice(0)) await program.stop('SIGKILL');
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const proxy of [sqs, dynamoDb]) await proxy.stop();
  await backends.stop();
  rmSync(folder, { recursive: true });
});

const STOPPED = { status: 0, inTime: true };

async function stopWithin(program: Program, withinMs: number): Promise<typeof STOPPED> {
  const toldAtMs = performance.now();
  const status = Number(await program.stop());
  return { status, inTime: performance.now() - toldAtMs < withinMs };
}

async function blockThreads(program: Program): Promise<void> {
  program.signal('SIGUSR2');
  await program.says('threads blocked');
}

describe('SIGTERM ends a service in time and with status 0', () => {
  let service: RunningService;
  beforeEach(async () => {
    service = await RunningService.start('packages/baton/tests/support/notes-service.ts', environment);
    programs.push(service.program);
  });

  async function connectAndSend(text: string): Promise<Socket> {
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1').on('error', () => undefined);
    sockets.push(socket);
    await once(socket, 'connect');
    socket.write(text);
    return socket;
  }

  test('at once while a keep-alive connection waits for its next request', async () => {
    const socket = await connectAndSend('GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n');
    await once(socket, 'data');
    expect(await stopWithin(service.program, 1000)).toEqual(STOPPED);
  });

  test.each([
    ['nothing', ''],
    ['half of a header', 'POST /notes HTTP/1.1\r\nhost'],
  ])('within a second while a connection has sent %s', async (_what, text) => {
    await connectAndSend(text);
    // The service has read the text before the signal arrives
    await fetch(`${service.url}/health/live`);
    expect(await stopWithin(service.program, 2000)).toEqual(STOPPED);
  });

  test('while a connection has sent half of a body', async () => {
    const head =
      'POST /notes HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{';
    await connectAndSend(head);
    await fetch(`${service.url}/health/live`);
    expect(await stopWithin(service.program, SERVICE_WITHIN_MS)).toEqual(STOPPED);
    expect(service.program.output).toContain('"underWay":1');
  });

  test('at once on a second signal, even while a request is in progress', async () => {
    await connectAndSend('POST /notes HTTP/1.1\r\nhost: localhost\r\ncontent-length: 99\r\n\r\n{');
    await fetch(`${service.url}/health/live`);
    service.program.signal('SIGTERM');
    await service.program.says('stopping');
    expect(await stopWithin(service.program, 1000)).toEqual(STOPPED);
  });

  test.each([
    ['its store', () => dynamoDb],
    ['its broker', () => sqs],
  ])('while %s hangs and requests are in progress', async (_what, hanging) => {
    hanging().change('half-open');
    const asked = [service.post('/notes', { text: 'x' }), fetch(`${service.url}/health/ready`)];
    for (const asking of asked) asking.catch(() => undefined);
    await eventually('a request that hangs', () => hanging().troubled > 0);
    expect(await stopWithin(service.program, SERVICE_WITHIN_MS)).toEqual(STOPPED);
    await Promise.allSettled(asked);
  });

  test('while threads are blocked, as by a name server that does not answer', async () => {
    await blockThreads(service.program);
    expect(await stopWithin(service.program, SERVICE_WITHIN_MS)).toEqual(STOPPED);
    expect(service.program.output).toContain('"stopped"');
  });
});

describe('SIGTERM ends a worker in time and with status 0', () => {
  let worker: Program;
  let tasks: TaskClient;
  beforeEach(async () => {
    const own = { WORKER_LEASE_SECONDS: '30', WORKER_WAIT_SECONDS: '1', WORKER_ABORT_GRACE_SECONDS: '1' };
    const port = String(await freePort());
    worker = new Program('packages/baton/tests/support/test-worker.ts', {
      ...environment,
      ...own,
      HEALTH_PORT: port,
    });
    programs.push(worker);
    await worker.says('worker started');
    const { queueUrls, documents, tasksTable: table } = backends;
    const records = new TaskStore({ documents, table });
    tasks = new TaskClient({ sqs: backends.sqs, queueUrls, source: 'tests', records });
  });

  test.each([
    ['its store', () => dynamoDb],
    ['its broker', () => sqs],
  ])('while %s hangs and tasks run', async (_what, hanging) => {
    hanging().change('half-open');
    await Promise.all([1, 2, 3].map((number) => tasks.send(count, { number, ms: 60_000, failures: 0 })));
    await eventually('a request that hangs', () => hanging().troubled > 0);
    expect(await stopWithin(worker, WORKER_WITHIN_MS)).toEqual(STOPPED);
  });

  test('while threads are blocked, as by a name server that does not answer', async () => {
    await blockThreads(worker);
    expect(await stopWithin(worker, WORKER_WITHIN_MS)).toEqual(STOPPED);
    expect(worker.output).toContain('worker stopped');
  });

  test('while a handler blocks its thread in a system call', async () => {
    await tasks.send(end, { how: 'sleep in a system call' });
    await worker.says('sleeps in a system call');
    expect(await stopWithin(worker, WORKER_WITHIN_MS)).toEqual(STOPPED);
  });
});
