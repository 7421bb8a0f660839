import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  CreateQueueCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from 'baton-dev/testing/eventually';
import { ask, READY, startRuntime } from 'baton-dev/testing/embedded-runtime';
import { freePort, freePorts, type Program } from 'baton-dev/testing/program';

let runtime: Program;
let url: string;
let ports: Record<string, string>;
/** The folder where Serverless keeps its check of serverless.yml. */
let schemas: string;

beforeAll(async () => {
  ports = await freePorts();
  url = `http://127.0.0.1:${ports['HTTP_PORT']}`;
  schemas = mkdtempSync(join(tmpdir(), 'baton-schemas-'));
  runtime = startRuntime({ ...ports, SLS_SCHEMA_CACHE_BASE_DIR: schemas });
  await runtime.says(READY);
}, 40_000);
afterAll(async () => {
  await runtime.stop();
  rmSync(schemas, { recursive: true });
});

describe('the embedded runtime', () => {
  test('starts without the check of serverless.yml, which would take most of the start time', () => {
    expect(readdirSync(schemas)).toEqual([]);
  });

  test('lists the tracked tasks', async () => {
    const { status, body } = await ask(url, ['GET', '/tasks?limit=1']);
    expect([status, Array.isArray(body['tasks'])]).toEqual([200, true]);
  });

  test.each([
    ['GET', '/tasks/no-such-task', undefined, {}, 404, 'not-found'],
    ['GET', '/nothing/here', undefined, {}, 404, 'unknown-route'],
    ['DELETE', '/tasks', undefined, {}, 405, 'method-not-allowed'],
    ['GET', '/tasks?cursor=rubbish', undefined, {}, 400, 'invalid-cursor'],
  ])('answers %s %s with a problem', async (method, path, body, headers, status, kind) => {
    const answer = await ask(url, [method, path], body, headers);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.body).toMatchObject({ type: `urn:baton:problem:${kind}` });
  });

  test('listens at 127.0.0.1 only', async () => {
    const addresses = Object.values(networkInterfaces())
      .flatMap((each) => each ?? [])
      .filter(({ family, internal }) => family === 'IPv4' && !internal);
    const open = addresses.flatMap(({ address }) =>
      Object.entries(ports).map(async ([name, port]) => ((await answersAt(address, port)) ? [name] : [])),
    );
    expect((await Promise.all(open)).flat()).toEqual([]);
    await expect(answersAt('127.0.0.1', ports['HTTP_PORT'] ?? '')).resolves.toBe(true);
  });

  test.each([
    ['to a name that points here (DNS rebinding)', { host: 'shop.example' }, 421],
    ['of a page of another origin', { origin: 'http://shop.example' }, 403],
    ['of a form or an image on another site', { 'sec-fetch-site': 'cross-site' }, 403],
  ])('refuses a request %s, at each of its ports', async (_what, headers, status) => {
    const each = Object.entries(ports).flatMap(([name, port]) =>
      ['GET', 'POST', 'OPTIONS'].map(async (method) => [
        name,
        method,
        await statusOf(port, method, { host: `127.0.0.1:${port}`, ...headers }),
      ]),
    );
    const answers = await Promise.all(each);
    expect(answers).toHaveLength(15);
    expect(answers.filter((answer) => answer[2] !== status)).toEqual([]);
  });
});

/** The status of the answer to a request, which may have any headers. */
async function statusOf(
  port: string,
  method: string,
  headers: Readonly<Record<string, string>>,
): Promise<number | undefined> {
  const sent = request({ host: '127.0.0.1', port, method, path: '/orders', headers });
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  response.resume();
  return response.statusCode;
}

function answersAt(host: string, port: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(Number(port), host);
  socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  return promise.finally(() => socket.destroy());
}

/** Whether an SQS delivers one of 20 messages twice although it is hidden. */
async function secondDelivery(endpoint: string): Promise<boolean> {
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const sqs = new SQSClient({ endpoint, credentials, region: 'us-east-1', useQueueUrlAsEndpoint: false });
  const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: 'twice' }));
  for (let sent = 0; sent < 20; sent += 1)
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' }));
  let received = 0;
  const twice = await eventually('more deliveries than messages', async () => {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
    received += Messages.length;
    return received > 20;
  });
  sqs.destroy();
  return twice;
}

describe('a start of the embedded runtime', () => {
  test('says for each unavailable port why, and which variable changes it', async () => {
    const taken = ports['HTTP_PORT'] ?? '';
    const twice = await freePort();
    const second = startRuntime({
      ...(await freePorts()),
      HTTP_PORT: taken,
      LAMBDA_PORT: String(twice),
      SQS_PORT: String(twice),
    });
    await expect(second.ended()).resolves.not.toBe(0);
    expect(second.output).toContain(
      `Port ${taken} is taken by another program; set HTTP_PORT to a free one.\n`,
    );
    expect(second.output).toContain(
      `SQS_PORT and LAMBDA_PORT are both ${twice}; each needs a port of its own.`,
    );
    expect(second.output).not.toContain('    at ');
  });

  test.each([
    ['HTTP_PORT', 'abc', 'HTTP_PORT held "abc": expected a whole number from 1 to 65535'],
    ['WORKER_CONCURRENCY', '0', 'WORKER_CONCURRENCY held "0": expected a whole number from 1 to 1000'],
  ])('stops if %s is %j', async (name, value, says) => {
    const wrong = startRuntime({ ...(await freePorts()), [name]: value });
    await expect(wrong.ended()).resolves.not.toBe(0);
    expect(wrong.output).toContain(says);
    expect(wrong.output).not.toContain('    at ');
  });

  test('by npm can be ended by SIGTERM to npm, which reaches only the shell between them', async () => {
    const own = await freePorts();
    const stage = `test-npm-${own['HTTP_PORT']}`;
    const options = { env: { ...process.env, ...own }, stdio: 'ignore', detached: true } as const;
    const npm = spawn('npm', ['start', '--', '--stage', stage], options);
    const isServed = () => fetch(`http://127.0.0.1:${own['HTTP_PORT']}/tasks`).catch(() => undefined);
    try {
      await eventually('a running runtime', isServed, 30_000);
      npm.kill('SIGTERM');
      const stopped = eventually('the end of the runtime', async () => !(await isServed()));
      await expect(stopped).resolves.toBe(true);
    } finally {
      // Kills the rest of its process group
      if (await isServed()) process.kill(-(npm.pid ?? 0), 'SIGKILL');
    }
  }, 60_000);
});

test('a start of the embedded runtime says which function did not start, and where its variables are set', async () => {
  const wrong = startRuntime({ ...(await freePorts()), LOG_LEVEL: 'loud' });
  await expect(wrong.ended()).resolves.not.toBe(0);
  expect(wrong.output).toContain('LOG_LEVEL held "loud"');
  expect(wrong.output).toMatch(
    /The function (functions\/[\w-]+)\/api\.handler did not start: .*\1\/functions\.yml.* in the shell or in \.env/,
  );
});

describe('the embedded runtime with --hostile', () => {
  let own: Record<string, string>;
  let hostile: Program;
  beforeAll(async () => {
    own = await freePorts();
    const given = { AWS_ENDPOINT_URL_SQS: '', SQS_SEED: '7', SQS_HOSTILE: 'false' };
    hostile = startRuntime({ ...own, ...given }, ['--hostile']);
    await hostile.says(READY);
  }, 40_000);
  afterAll(() => hostile.stop());

  test('has an SQS that delivers messages twice', async () => {
    const sqs = `http://127.0.0.1:${own['SQS_PORT']}`;
    expect(hostile.output).toContain(`${sqs}  hostile, SQS_SEED=7`);
    await expect(secondDelivery(sqs)).resolves.toBe(true);
  });

  test('ends on SIGINT with status 0, and frees its ports', async () => {
    await expect(hostile.stop('SIGINT')).resolves.toBe(0);
    await expect(fetch(`http://127.0.0.1:${own['HTTP_PORT']}/tasks`)).rejects.toThrow('fetch failed');
  });
});

// The last test, because it stops the runtime of all others
test('the embedded runtime ends on SIGTERM with status 0, and frees its ports', async () => {
  await expect(runtime.stop('SIGTERM')).resolves.toBe(0);
  await expect(fetch(`${url}/tasks`)).rejects.toThrow('fetch failed');
});
