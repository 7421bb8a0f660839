import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  CreateQueueCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { READY, startRuntime } from 'baton-dev/testing/embedded-runtime';
import { freePorts, type Program } from 'baton-dev/testing/program';
import { type Attack, Attacker, type Learned } from './attacker.ts';
import { Browser, chromium, FOREIGN_NAME } from './browser.ts';

const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
const STAGE = 'test-browser';
const INVOKED = '/invoked-by-a-page';

let runtime: Program;
let ports: Record<string, string>;
let sqs: SQSClient;
let queueUrl: string;

const where = (name: string, host = '127.0.0.1'): string => `http://${host}:${ports[name]}`;

const withChromium = chromium || process.env['CI'] ? describe : describe.skip;
if (!chromium)
  process.stdout.write('the attacks of web pages are skipped, because this machine has no Chromium\n');

withChromium('a web page in a real browser', () => {
  beforeAll(async () => {
    ports = await freePorts();
    runtime = startRuntime(ports, [], STAGE);
    await runtime.says(READY);
    sqs = new SQSClient({
      endpoint: where('SQS_PORT'),
      region: 'us-east-1',
      credentials,
      useQueueUrlAsEndpoint: false,
    });
    const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: 'attacked' }));
    queueUrl = QueueUrl;
  }, 60_000);
  afterAll(async () => {
    sqs.destroy();
    await runtime.stop();
  });

  test.each(['localhost', '127.0.0.1', FOREIGN_NAME])(
    'at %s learns nothing from `npm start`, and changes nothing',
    async (host) => {
      const learned = await visit(host, attacks());
      expect(learned).toEqual(Object.fromEntries(attacks().map(({ name }) => [name, 'refused'])));
    },
  );

  test.each(['localhost', FOREIGN_NAME])(
    'at %s that sends requests without looking at the answers changes nothing',
    async (host) => {
      await visit(host, attacks({ mode: 'no-cors' }));
      await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: 'of a program' }));
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }),
      );
      expect(Messages.map(({ Body }) => Body)).toEqual(['of a program']);
      expect(runtime.output).not.toContain(INVOKED);
    },
  );

  test('whose name is made to lead to this machine gets no answer of the API', async () => {
    const page = await Browser.textOf(`${where('HTTP_PORT', FOREIGN_NAME)}/tasks`);
    expect(page).toContain('"status":421');
    expect(page).not.toContain('nextCursor');
    await expect(Browser.textOf(`${where('HTTP_PORT')}/tasks`)).resolves.toContain('"tasks"');
  });
});

/** Opens an attacker's page, and resolves to what it learned. */
async function visit(host: string, requests: readonly Attack[]): Promise<Learned> {
  const attacker = new Attacker(requests);
  const browser = new Browser(`http://${host}:${await attacker.start()}/`);
  try {
    return await attacker.learned;
  } finally {
    await browser.close();
    attacker.stop();
  }
}

/** A request to each port of the runtime that needs no preflight, as a page would send it. */
function attacks(how: { readonly mode?: 'no-cors' } = {}): Attack[] {
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const plain = { 'content-type': 'text/plain' };
  const message = new URLSearchParams({
    Action: 'SendMessage',
    QueueUrl: queueUrl,
    MessageBody: 'of a page',
  });
  // Emulators accept any credentials
  const signature =
    'AWS4-HMAC-SHA256 Credential=page/20261130/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=page';
  const event = {
    version: '2.0',
    rawPath: INVOKED,
    requestContext: { http: { method: 'GET', path: INVOKED } },
  };
  return [
    { name: 'reads tasks', url: `${where('HTTP_PORT')}/tasks`, init: how },
    { name: 'reads the state of the worker', url: `${where('HEALTH_PORT')}/health/state`, init: how },
    {
      name: 'invokes a function',
      url: `${where('LAMBDA_PORT')}/2015-03-31/functions/baton-${STAGE}-taskServiceApi/invocations`,
      init: { ...how, method: 'POST', headers: plain, body: JSON.stringify(event) },
    },
    {
      name: 'sends a message by a form',
      url: where('SQS_PORT'),
      init: { ...how, method: 'POST', headers: form, body: message.toString() },
    },
    { name: 'sends a message by a read', url: `${where('SQS_PORT')}/?${message.toString()}`, init: how },
    {
      name: 'sends a message as JSON',
      url: where('SQS_PORT'),
      init: {
        ...how,
        method: 'POST',
        headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': 'AmazonSQS.SendMessage' },
        body: JSON.stringify({ QueueUrl: queueUrl, MessageBody: 'of a page' }),
      },
    },
    {
      name: 'scans a table',
      url: where('DYNAMODB_PORT'),
      init: {
        ...how,
        method: 'POST',
        headers: {
          'content-type': 'application/x-amz-json-1.0',
          'x-amz-target': 'DynamoDB_20120810.ListTables',
          authorization: signature,
          'x-amz-date': '20261130T000000Z',
        },
        body: '{}',
      },
    },
  ];
}
