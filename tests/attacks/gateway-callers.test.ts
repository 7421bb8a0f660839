import { afterAll, afterEach, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from 'baton-dev/testing/eventually';
import { freePort, Program } from 'baton-dev/testing/program';
import { RawCaller } from 'baton-dev/testing/raw-caller';

const TOKEN = 'a secret of more than 32 characters';
/** The gateway finds a service by its name, at the port of its own. */
const SERVICE = '127.0.0.5';
/** As many as a server works on for one address. */
const SHARE = 256;

const folder = mkdtempSync(join(tmpdir(), 'baton-gateway-callers-'));
const STACK_FILE = join(folder, 'stack.json');
const programs: Program[] = [];
const callers: RawCaller[] = [];
afterEach(async () => {
  for (const caller of callers.splice(0)) caller.end();
  await Promise.all(programs.splice(0).map((program) => program.stop('SIGKILL')));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Starts a service that answers after long, and a gateway in front. Resolves to their port. */
async function start(): Promise<number> {
  const api = { handler: `functions/${SERVICE}/api.handler`, events: [{ httpApi: 'ANY /waiting' }] };
  writeFileSync(STACK_FILE, JSON.stringify({ functions: { api }, resources: {}, stage: 'test' }));
  const port = await freePort();
  const environment = {
    AWS_REGION: 'us-east-1',
    AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
    QUEUE_URL_PREFIX: 'http://127.0.0.1:9/000000000000/baton-dev-',
    LOG_LEVEL: 'warn',
    AUTHENTICATION: 'none',
    STACK_FILE,
    PORT: String(port),
    FUNCTIONS_TOKEN: TOKEN,
    RATE_LIMIT_PER_SECOND: '0',
  };
  for (const [file, HOST] of [
    ['packages/baton/tests/support/waiting-service.ts', SERVICE],
    ['packages/baton-dev/src/containers/gateway/main.ts', '127.0.0.1'],
  ] as const) {
    const own = { HOST, FUNCTIONS_PORT: String(await freePort()), HEALTH_PORT: String(await freePort()) };
    programs.push(new Program(file, { ...environment, ...own }));
    const url = `http://${HOST}:${port}/nope`;
    await eventually(`an answer of ${file}`, () => fetch(url).then(Boolean, () => false), 30_000);
  }
  return port;
}

async function ask(port: number, from: string, path: string, header = ''): Promise<RawCaller> {
  const caller = await new RawCaller(port, from).connected();
  callers.push(caller);
  return caller.send(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n${header}\r\n`);
}

test.each([
  ['', ''],
  [', and says himself who he is', 'x-gateway-caller: 192.0.2.1 x\r\n'],
])(
  'a caller of the gateway who takes all places that he gets takes none of another one%s',
  async (_what, header) => {
    const port = await start();
    const asking = Array.from({ length: SHARE + 10 }, () => ask(port, '127.0.0.2', '/waiting/long', header));
    const all = await Promise.all(asking);
    const answered = (): number[] => all.flatMap(({ statuses }) => statuses);
    await eventually('ten refusals', () => answered().length === 10);
    const other = await ask(port, '127.0.0.3', '/waiting/not');
    await eventually('an answer', () => other.statuses.length > 0);
    expect([other.statuses, new Set(answered()), answered().length]).toEqual([[200], new Set([503]), 10]);
  },
  60_000,
);
