import { afterAll, afterEach, expect, test } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
  // What Node takes by itself in a container of 256 MB
  NODE_OPTIONS: '--max-old-space-size=128',
};

/** The most memory that a process has used so far, in MB. */
function peakMegabytes(pid: number): number {
  const [, kilobytes = '0'] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) / 1024;
}

test.each([
  ['a service', 'packages/baton/tests/support/notes-service.ts'],
  ['the gateway', 'packages/baton-dev/src/containers/gateway/main.ts'],
])(
  '%s stays within its memory if callers send thousands of requests and read no answer',
  async (_what, file) => {
    writeFileSync(STACK_FILE, JSON.stringify({ functions: {}, resources: {}, stage: 'test' }));
    const [PORT, FUNCTIONS_PORT] = [String(await freePort()), String(await freePort())];
    program = new Program(file, { ...ENVIRONMENT, PORT, FUNCTIONS_PORT });
    const url = `http://127.0.0.1:${PORT}/nope`;
    const answers = () =>
      fetch(url).then(
        ({ status }) => status === 404,
        () => false,
      );
    await eventually('an answer', answers, 30_000);
    const get = 'GET /nope HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(REQUESTS);
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
