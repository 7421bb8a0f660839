import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  DeleteMessageBatchCommand,
  QueueDoesNotExist,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createSqsClient } from '../sqs-client.ts';

interface Request {
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: object;
}

const QUEUE = 'http://sqs.test/1/work';
const before = { ...process.env };
let server: Server | undefined;
let opened: SQSClient | undefined;

afterEach(async () => {
  opened?.destroy();
  process.env = { ...before };
  server?.closeAllConnections();
  await new Promise((resolve) => server?.close(resolve) ?? resolve(undefined));
});

/**
 * A client that makes each request once, and a server with one answer for each request. Without an answer, it never
 * answers.
 */
async function client(answer: (index: number) => Answer | undefined) {
  const requests: Request[] = [];
  server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (part: string) => (text += part));
    request.once('end', () => {
      requests.push({ headers: request.headers, body: JSON.parse(text) });
      const given = answer(requests.length - 1);
      if (!given) return;
      response.writeHead(given.status ?? 200, {
        'content-type': 'application/x-amz-json-1.0',
        ...given.headers,
      });
      response.end(JSON.stringify(given.body));
    });
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  Object.assign(process.env, {
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'AKID',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_SESSION_TOKEN: 'session',
    AWS_ENDPOINT_URL_SQS: `http://127.0.0.1:${port}`,
  });
  const sqs = createSqsClient({ attempts: 1 });
  opened = sqs;
  return { sqs, requests, port };
}

const receive = () => new ReceiveMessageCommand({ QueueUrl: QUEUE, MaxNumberOfMessages: 10 });
const clockBehind = {
  status: 403,
  body: { __type: 'InvalidSignatureException', message: 'Signature expired' },
};

describe('a client that makes each request once', () => {
  test("sends equal requests, although only the first uses the SDK's own code", async () => {
    const Messages = [
      { MessageId: 'm-1', ReceiptHandle: 'r-1', Body: 'first', Attributes: { SentTimestamp: '5' } },
    ];
    const { sqs, requests, port } = await client(() => ({ body: { Messages } }));
    const answers = [await sqs.send(receive()), await sqs.send(receive()), await sqs.send(receive())];
    for (const answer of answers) {
      expect(answer.Messages).toEqual(Messages);
      expect(answer.$metadata.httpStatusCode).toBe(200);
    }
    const [first, ...others] = requests;
    expect(others).toHaveLength(2);
    expect(requests.map(({ headers }) => 'amz-sdk-request' in headers)).toEqual([true, false, false]);
    for (const { headers, body } of others) {
      expect(body).toEqual(first?.body);
      expect(headers).toMatchObject({
        host: `127.0.0.1:${port}`,
        'x-amz-target': 'AmazonSQS.ReceiveMessage',
        'content-type': first?.headers['content-type'],
        'user-agent': first?.headers['user-agent'],
        'x-amz-security-token': 'session',
        authorization: expect.stringMatching(
          /^AWS4-HMAC-SHA256 Credential=AKID\/\d{8}\/eu-west-1\/sqs\/aws4_request, SignedHeaders=[^,]*\bhost\b[^,]*, Signature=[0-9a-f]{64}$/,
        ),
      });
    }
  });

  test('makes another kind of request in the same way', async () => {
    const { sqs, requests } = await client((index) => ({
      body: index === 0 ? {} : { Successful: [{ Id: '0' }] },
    }));
    await sqs.send(receive());
    const Entries = [{ Id: '0', ReceiptHandle: 'r-1' }];
    const { Successful } = await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: QUEUE, Entries }));
    expect(Successful).toEqual([{ Id: '0' }]);
    expect(requests[1]?.headers['x-amz-target']).toBe('AmazonSQS.DeleteMessageBatch');
    expect(requests[1]?.body).toEqual({ QueueUrl: QUEUE, Entries });
  });

  test("fails with SQS's own error, makes no second attempt, and works for later requests", async () => {
    const missing = {
      status: 400,
      body: { __type: 'com.amazonaws.sqs#QueueDoesNotExist', message: 'no such queue' },
    };
    const { sqs, requests } = await client((index) => (index % 2 === 0 ? { body: {} } : missing));
    for (const count of [2, 4]) {
      await sqs.send(receive());
      const failure = await sqs.send(receive()).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(QueueDoesNotExist);
      expect(failure).toMatchObject({ message: 'no such queue', $metadata: { httpStatusCode: 400 } });
      expect(requests).toHaveLength(count);
    }
  });

  test('ends a request whose signal aborts', async () => {
    const { sqs, requests } = await client((index) => (index === 0 ? { body: {} } : undefined));
    await sqs.send(receive());
    const stop = new AbortController();
    const waiting = sqs.send(receive(), { abortSignal: stop.signal });
    setImmediate(() => stop.abort());
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
    expect(requests.length).toBeLessThanOrEqual(2);
  });

  test("uses the server's time once a request was refused because its own clock is wrong", async () => {
    const inAnHour = new Date(Date.now() + 3_600_000);
    const headers = { date: inAnHour.toUTCString() };
    const { sqs, requests } = await client((index) =>
      index === 1 || index === 2 ? { ...clockBehind, headers } : { body: {}, ...(index > 2 && { headers }) },
    );
    await sqs.send(receive());
    await expect(sqs.send(receive())).rejects.toThrow('Signature expired');
    await expect(sqs.send(receive())).rejects.toThrow('Signature expired');
    await sqs.send(receive());
    await sqs.send(receive());
    const dates = requests.map((request) => String(request.headers['x-amz-date']));
    const hour = inAnHour.toISOString().slice(0, 13).replaceAll('-', '');
    expect(dates.slice(0, 2).filter((date) => date.startsWith(hour))).toEqual([]);
    expect(dates.slice(3).map((date) => date.slice(0, hour.length))).toEqual([hour, hour]);
  });
});
