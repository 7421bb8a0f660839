import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TaskClient } from 'baton-tasks/tooling';
import { type Backends, startBackends } from '../support/backends.ts';
import { chatter } from '../support/chatter.ts';
import { eventually } from 'baton-dev/testing/eventually';
import { nap } from '../support/nap.ts';
import { createNotesTable } from '../support/notes-table.ts';
import { NapSink } from '../support/nap-sink.ts';
import { countMessages } from 'baton-dev/testing/message-counts';
import { freePort, Program, type ProgramOptions } from 'baton-dev/testing/program';

const NAPS = 300;
const MIB = 1024 * 1024;
/** Far more than an idle worker needs, far less than unlimited log lines in memory would. */
const MAX_RSS_MIB = 350;
const STOP_WITHIN_MS = 8000;

let folder: string;
let backends: Backends;
let tasks: TaskClient;
let sink: NapSink;
const programs: Program[] = [];
const cleanups: (() => void)[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'baton-stdout-'));
  sink = new NapSink();
  backends = await startBackends(['default']);
  tasks = new TaskClient({ sqs: backends.sqs, queueUrls: backends.queueUrls, source: 'tests' });
});
afterEach(async () => {
  for (const program of programs.splice(0)) await program.stop('SIGKILL');
  for (const cleanup of cleanups.splice(0).toReversed()) cleanup();
  await backends.stop();
  sink.clear();
  rmSync(folder, { recursive: true, force: true });
});

function open(path: string, flags: number): number {
  const fd = openSync(path, flags);
  cleanups.push(() => closeSync(fd));
  return fd;
}

/** A pipe that nobody reads: the descriptors of both ends. */
function stalledPipe(): { write: number; read: number } {
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  const read = open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { read, write: open(path, constants.O_WRONLY) };
}

/** Reads the current content of a pipe. */
function readPipe(fd: number): string {
  const chunk = Buffer.alloc(65_536);
  const bytes: Buffer[] = [];
  for (;;) {
    try {
      const length = readSync(fd, chunk);
      if (length === 0) break;
      bytes.push(Buffer.from(chunk.subarray(0, length)));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') break;
      throw error;
    }
  }
  return Buffer.concat(bytes).toString('latin1');
}

/** Opens a file on a disk of 64 KiB, or `/dev/full` if this user may not mount. */
function fullDisk(): number {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder], { stdio: 'ignore' });
    cleanups.push(() => execFileSync('umount', [folder]));
    return open(join(folder, 'log'), constants.O_CREAT | constants.O_WRONLY);
  } catch {
    return open('/dev/full', constants.O_WRONLY);
  }
}

/** A pipe whose reader has closed it. */
function closedPipe(): number {
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const write = open(path, constants.O_WRONLY);
  closeSync(reader);
  return write;
}

/** A socket, as Node gives its child processes, that nobody reads. */
function stalledSocket(): number {
  const reader = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  cleanups.push(() => reader.kill('SIGKILL'));
  return (Reflect.get(reader.stdin, '_handle') as { fd: number }).fd;
}

/** A terminal whose output is stopped, as by Ctrl-S. */
async function stoppedTerminal(): Promise<number> {
  const screen = spawn('script', ['-qfc', 'tty; exec sleep 600', '/dev/null'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  cleanups.push(() => screen.kill('SIGKILL'));
  const [name] = (await once(screen.stdout, 'data')) as [Buffer];
  screen.kill('SIGSTOP');
  return open(String(name).trim(), constants.O_WRONLY | constants.O_NOCTTY);
}

const KINDS: Record<string, () => ProgramOptions | Promise<ProgramOptions>> = {
  'a full disk': () => ({ stdout: fullDisk() }),
  'a file at the size limit of the process': () => ({
    stdout: open(join(folder, 'log'), constants.O_CREAT | constants.O_WRONLY),
    limit: 'ulimit -f 200',
  }),
  'a pipe that nobody reads': () => ({ stdout: stalledPipe().write }),
  'a pipe without a reader': () => ({ stdout: closedPipe() }),
  'a socket that nobody reads': () => ({ stdout: stalledSocket() }),
  'a stopped terminal': async () => ({ stdout: await stoppedTerminal() }),
};

async function startWorker(options: ProgramOptions): Promise<[Program, string]> {
  const port = String(await freePort());
  const environment = { ...backends.environment, HEALTH_PORT: port, NAP_SINK: sink.path };
  const own = { WORKER_WAIT_SECONDS: '1', WORKER_CONCURRENCY: '50' };
  const program = new Program(
    'packages/baton/tests/support/test-worker.ts',
    { ...environment, ...own },
    [],
    options,
  );
  programs.push(program);
  const health = `http://127.0.0.1:${port}/health`;
  await eventually('a worker that is ready', () => isReady(`${health}/ready`), 20_000);
  return [program, health];
}

const isReady = (url: string) =>
  fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );

interface LogState {
  readonly waitingBytes: number;
  readonly droppedLines: number;
  readonly failure: string | null;
}

const logsOf = async (health: string): Promise<LogState> =>
  ((await (await fetch(`${health}/state`)).json()) as { logs: LogState }).logs;

const rssMib = ({ pid }: Program): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

async function expectToStop(program: Program): Promise<void> {
  const toldAtMs = performance.now();
  await expect(program.stop()).resolves.toBe(0);
  expect(performance.now() - toldAtMs).toBeLessThan(STOP_WITHIN_MS);
}

describe.each(Object.keys(KINDS))('standard output that is %s', (kind) => {
  const optionsOf = async (): Promise<ProgramOptions> => (await KINDS[kind]?.()) ?? {};

  test('does not keep a worker from running its tasks and stopping in time', async () => {
    const [program, health] = await startWorker(await optionsOf());
    await tasks.send(chatter, { lines: 400, bytes: 1000 });
    await Promise.all(Array.from({ length: NAPS }, () => tasks.send(nap, { ms: 0 })));
    await eventually('all tasks done', () => sink.done.size === NAPS, 20_000);
    await eventually('a failure in its health', async () => (await logsOf(health)).failure !== null);
    expect(await logsOf(health)).toMatchObject({ droppedLines: 0 });
    await expectToStop(program);
  });

  test('does not keep a service from answering and stopping in time', async () => {
    const [port, healthPort] = [String(await freePort()), String(await freePort())];
    const environment = {
      ...backends.environment,
      NOTES_TABLE: await createNotesTable(backends),
      PORT: port,
      HEALTH_PORT: healthPort,
      // Each request has to be logged
      RATE_LIMIT_PER_SECOND: '0',
    };
    const program = new Program(
      'packages/baton/tests/support/notes-service.ts',
      environment,
      [],
      await optionsOf(),
    );
    programs.push(program);
    const url = `http://127.0.0.1:${port}`;
    const health = `http://127.0.0.1:${healthPort}/health`;
    await eventually('a service that is ready', () => isReady(`${health}/ready`), 20_000);
    for (let times = 0; times < 1500; times += 1)
      expect((await fetch(`${url}/notes/none`)).status).toBeGreaterThanOrEqual(400);
    expect((await logsOf(health)).failure).not.toBe(null);
    await expectToStop(program);
  });
});

test('unread log lines take limited memory; a later reader gets whole lines in order and the number of dropped ones', async () => {
  const { read, write } = stalledPipe();
  const [program, health] = await startWorker({ stdout: write });
  await Promise.all(Array.from({ length: 20 }, () => tasks.send(chatter, { lines: 2000, bytes: 1000 })));
  await eventually('dropped lines', async () => (await logsOf(health)).droppedLines > 10_000, 30_000);
  await eventually('all done', async () => (await tasksLeft()) === 0, 20_000);
  const { droppedLines, waitingBytes } = await logsOf(health);
  expect(waitingBytes).toBeLessThan(8 * MIB);
  expect(rssMib(program)).toBeLessThan(MAX_RSS_MIB);

  let text = '';
  await eventually('all kept lines', async () => {
    text += readPipe(read);
    return (await logsOf(health)).waitingBytes === 0;
  });
  await tasks.send(nap, { ms: 0 });
  await eventually('a nap after it', () => (text += readPipe(read)).includes('tests.nap done'));
  const lines = text
    .trimEnd()
    .split('\n')
    .filter((line) => line !== 'loading');
  const objects = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  const missing = objects.reduce((sum, line) => sum + Number(line['droppedLines'] ?? 0), 0);
  expect(missing).toBe(droppedLines);
  const times = objects.map(({ time }) => String(time));
  expect(times).toEqual(times.toSorted());
  await expectToStop(program);
  expect(readPipe(read)).toContain('worker stopped');
});

async function tasksLeft(): Promise<number> {
  const { visible, hidden } = await countMessages(backends, backends.queueUrls.of('default'));
  return visible + hidden;
}
