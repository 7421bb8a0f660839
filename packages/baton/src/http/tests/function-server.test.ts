import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { DEADLINE_HEADER, type Functions, serveFunctions } from '../function-server.ts';
import { FUNCTIONS_TOKEN_HEADER, withToken } from '../functions-token.ts';
import type { RunningServer } from '../listener.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { eventually } from 'baton-dev/testing/eventually';
import { answerTo, RawCaller } from 'baton-dev/testing/raw-caller';

const TOKEN = 'a secret of more than 32 characters';
let server: RunningServer;
let lambda: LambdaClient;
afterEach(async () => {
  lambda.destroy();
  await server.close();
});

async function start(functions: Functions): Promise<string> {
  const logger = createLogger({ service: 'tests', level: 'silent' });
  server = await serveFunctions({ functions, token: TOKEN, host: '127.0.0.1', port: 0, logger });
  const endpoint = `http://127.0.0.1:${server.port}`;
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  lambda = withToken(new LambdaClient({ region: 'us-east-1', endpoint, credentials, maxAttempts: 1 }), TOKEN);
  return endpoint;
}

async function invoke(FunctionName: string, payload: unknown) {
  const { Payload, ...answer } = await lambda.send(
    new InvokeCommand({ FunctionName, Payload: JSON.stringify(payload) }),
  );
  return { ...answer, payload: JSON.parse(Buffer.from(Payload ?? []).toString()) as unknown };
}

function post(url: string, body: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${url}/2015-03-31/functions/echo/invocations`, {
    method: 'POST',
    body,
    headers: { [FUNCTIONS_TOKEN_HEADER]: TOKEN, ...headers },
  });
}

describe('a function in a container', () => {
  test("is invoked by AWS's own client, with an event and a context", async () => {
    await start({ echo: async (event: object, context) => ({ event, name: context.functionName }) });
    const { payload, StatusCode, FunctionError } = await invoke('echo', { Records: ['é'] });
    expect(payload).toEqual({ event: { Records: ['é'] }, name: 'echo' });
    expect([StatusCode, FunctionError]).toEqual([200, undefined]);
  });

  test('keeps its remaining time if the clock is set while it runs', async () => {
    const now = jest.spyOn(Date, 'now');
    const setClock = async (_event: object, context: { getRemainingTimeInMillis(): number }) => {
      now.mockReturnValue(new Date('2036-01-01T00:00:00Z').getTime());
      const leftMs = context.getRemainingTimeInMillis();
      now.mockRestore();
      return leftMs;
    };
    await start({ setClock });
    const { payload } = await invoke('setClock', {});
    expect(payload).toBeGreaterThan(25_000);
    expect(payload).toBeLessThanOrEqual(30_000);
  });

  test('that returns nothing gives the answer null', async () => {
    await start({ nothing: async () => undefined });
    await expect(invoke('nothing', {})).resolves.toMatchObject({ payload: null });
  });

  test('that throws gives a function error with the message, without a stack', async () => {
    await start({ broken: () => Promise.reject(new TypeError('no such order')) });
    await expect(invoke('broken', {})).resolves.toMatchObject({
      FunctionError: 'Unhandled',
      payload: { errorType: 'TypeError', errorMessage: 'no such order' },
    });
  });

  test.each(['missing', 'toString'])('that does not exist (%s) gives the error of Lambda', async (name) => {
    await start({ echo: async () => null });
    await expect(invoke(name, {})).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: `Function not found: ${name}`,
    });
  });

  test('knows its remaining time, and gives a function error once it is over', async () => {
    const never = new Promise<never>(() => undefined);
    let remainingMs = 0;
    const url = await start({
      echo: (_event: object, context) => ((remainingMs = context.getRemainingTimeInMillis()), never),
    });
    const answer = await post(url, '{}', { [DEADLINE_HEADER]: String(Date.now() + 1000) });
    expect(remainingMs).toBeGreaterThan(0);
    expect(remainingMs).toBeLessThanOrEqual(1000);
    expect([answer.status, answer.headers.get('x-amz-function-error')]).toEqual([200, 'Unhandled']);
    await expect(answer.json()).resolves.toMatchObject({
      errorMessage: 'The function did not end before its deadline',
    });
  });

  test.each(['Infinity', '99999999999999'])('runs to its end if its deadline is %s', async (deadline) => {
    const url = await start({ echo: () => sleep(50, 'done') });
    const answer = await post(url, '{}', { [DEADLINE_HEADER]: deadline });
    await expect(answer.json()).resolves.toBe('done');
  });

  test('does not run if the event is not JSON, or is larger than Lambda accepts', async () => {
    const url = await start({ echo: async () => 'run' });
    const broken = await post(url, '{"Records":');
    expect([broken.status, broken.headers.get('x-amzn-errortype')]).toEqual([
      400,
      'InvalidRequestContentException',
    ]);
    const large = await post(url, JSON.stringify('x'.repeat(6_291_556)));
    expect([large.status, large.headers.get('x-amzn-errortype')]).toEqual([413, 'RequestTooLargeException']);
  });

  test.each([
    ['no secret', {}],
    ['a wrong one', { [FUNCTIONS_TOKEN_HEADER]: 'another secret of more than 32 characters' }],
    ['a part of it', { [FUNCTIONS_TOKEN_HEADER]: TOKEN.slice(0, -1) }],
    ['it twice', { [FUNCTIONS_TOKEN_HEADER]: `${TOKEN}, ${TOKEN}` }],
  ])('does not run for a caller with %s, whose body is not read', async (_what, headers) => {
    let runs = 0;
    const url = await start({ echo: async () => (runs += 1) });
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const answer = await answerTo(
      Number(new URL(url).port),
      `POST /2015-03-31/functions/echo/invocations HTTP/1.1\r\nhost: x\r\n${lines.join('')}content-length: 6000000\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 403 /);
    expect(answer).toContain('AccessDeniedException');
    expect(runs).toBe(0);
  });

  test('tells a stranger nothing about which functions there are', async () => {
    const url = await start({ echo: async () => 'run' });
    const statuses = await Promise.all(
      ['echo', 'nope'].map(
        async (name) =>
          (await fetch(`${url}/2015-03-31/functions/${name}/invocations`, { method: 'POST' })).status,
      ),
    );
    expect(statuses).toEqual([403, 403]);
  });

  test('is throttled while the events of others take all the memory, so that the worker tries again', async () => {
    const url = await start({ echo: async () => 'run' });
    const callers = Array.from({ length: 4 }, () => new RawCaller(Number(new URL(url).port)));
    const head = `POST /2015-03-31/functions/echo/invocations HTTP/1.1\r\nhost: x\r\n${FUNCTIONS_TOKEN_HEADER}: ${TOKEN}\r\ncontent-length: 6000000\r\n\r\n`;
    try {
      for (const caller of callers) caller.send(head + ' '.repeat(5_999_999));
      const throttled = () => callers.find(({ statuses }) => statuses.length > 0);
      await eventually('a refusal', throttled);
      expect(throttled()?.statuses).toEqual([429]);
      expect(throttled()?.answered).toContain('TooManyRequestsException');
    } finally {
      for (const caller of callers) caller.end();
    }
  });

  test('ends running invocations before its server closes', async () => {
    const begun = Promise.withResolvers<void>();
    const end = Promise.withResolvers<string>();
    const url = await start({ echo: () => (begun.resolve(), end.promise) });
    const answer = post(url, '{}');
    await begun.promise;
    const closed = server.close();
    end.resolve('done');
    await expect((await answer).json()).resolves.toBe('done');
    await closed;
  });
});
