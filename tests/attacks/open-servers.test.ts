import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestIssuer } from 'baton-tasks/testing';
import { eventually } from 'baton-dev/testing/eventually';
import { freePort, Program } from 'baton-dev/testing/program';
import { answerTo } from 'baton-dev/testing/raw-caller';

const folder = mkdtempSync(join(tmpdir(), 'baton-open-'));
const STACK_FILE = join(folder, 'stack.json');
const ENVIRONMENT = {
  AWS_REGION: 'us-east-1',
  AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
  QUEUE_URL_PREFIX: 'http://127.0.0.1:9/000000000000/baton-dev-',
  TASKS_TABLE: 'tasks',
  NOTES_TABLE: 'notes',
  LOG_LEVEL: 'warn',
  STACK_FILE,
};
const TOKEN = 'a secret of more than 32 characters';

let program: Program | undefined;
afterEach(() => program?.stop('SIGKILL'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Starts a server. Resolves to the status of its answer to a request with some headers. */
async function statuses(
  file: string,
  environment: Readonly<Record<string, string>>,
): Promise<(headers: Readonly<Record<string, string>>, path?: string) => Promise<number>> {
  writeFileSync(STACK_FILE, JSON.stringify({ functions: {}, resources: {}, stage: 'test' }));
  const [port, FUNCTIONS_PORT, HEALTH_PORT] = [await freePort(), await freePort(), await freePort()];
  const own = { PORT: String(port), FUNCTIONS_PORT: String(FUNCTIONS_PORT), FUNCTIONS_TOKEN: TOKEN };
  // A service answers health at the port of its API if it has no other
  const health = file.includes('gateway') ? { HEALTH_PORT: String(HEALTH_PORT) } : {};
  program = new Program(file, { ...ENVIRONMENT, ...own, ...health, ...environment });
  const answers = (): Promise<boolean> =>
    fetch(`http://127.0.0.1:${port}/nope`).then(
      () => true,
      () => false,
    );
  await eventually('the server', answers, 30_000);
  return async (headers, path = '/nope') => {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const answer = await answerTo(port, `GET ${path} HTTP/1.1\r\nconnection: close\r\n${lines.join('')}\r\n`);
    return Number(answer.slice(9, 12));
  };
}

const SERVERS = [
  ['a service', 'packages/baton/tests/support/notes-service.ts', 'notes-service'],
  ['the gateway', 'packages/baton-dev/src/containers/gateway/main.ts', 'gateway'],
] as const;

describe.each(SERVERS)('%s in a container', (_what, file, name) => {
  test('refuses a web page while everybody may call, whatever name the page has', async () => {
    const statusOf = await statuses(file, { AUTHENTICATION: 'none', ALLOWED_HOSTS: 'laptop.test' });
    const rebound = { host: 'evil.example', origin: 'http://evil.example', 'sec-fetch-site': 'same-origin' };
    expect({
      rebound: await statusOf(rebound),
      absolute: await statusOf({ host: 'localhost' }, 'http://evil.example/nope'),
      'other site': await statusOf({ host: 'localhost', 'sec-fetch-site': 'cross-site' }),
      'other origin': await statusOf({ host: 'localhost', origin: 'http://evil.example' }),
      program: await statusOf({ host: '127.0.0.1:8000' }),
      'other container': await statusOf({ host: `${name}:8000` }),
      'allowed name': await statusOf({ host: 'laptop.test' }),
    }).toEqual({
      rebound: 421,
      absolute: 421,
      'other site': 403,
      'other origin': 403,
      program: 404,
      'other container': 404,
      'allowed name': 404,
    });
  }, 60_000);

  test('looks at no name if callers need tokens, as behind a load balancer', async () => {
    const issuer = await TestIssuer.start();
    try {
      const statusOf = await statuses(file, issuer.environment);
      expect(await statusOf({ host: 'api.example', origin: 'https://www.example' })).toBe(404);
    } finally {
      await issuer.stop();
    }
  }, 60_000);
});

test('health answers any Host, because a load balancer names the address that it asks', async () => {
  const statusOf = await statuses(SERVERS[0][1], { AUTHENTICATION: 'none' });
  expect(await statusOf({ host: '10.0.0.7:8000' }, '/health/live')).toBe(200);
}, 60_000);
