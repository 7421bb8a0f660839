import { once } from 'node:events';
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { json } from 'node:stream/consumers';
import { expect, test } from '@jest/globals';
import { startDynamoDb } from '../emulators.ts';

const ASKED = 40;
const TABLE = {
  TableName: 'counts',
  KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
  AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
  BillingMode: 'PAY_PER_REQUEST',
};
const ADD_ONE = {
  TableName: 'counts',
  Key: { id: { S: 'one' } },
  UpdateExpression: 'ADD times :one',
  ExpressionAttributeValues: { ':one': { N: '1' } },
  ReturnValues: 'ALL_NEW',
};

test('the emulator of DynamoDB answers all requests before it stops, and then closes its connections', async () => {
  const emulator = await startDynamoDb(0);
  const agent = new Agent({ keepAlive: true });
  const ask = (operation: string, input: object): ClientRequest => {
    const scope = 'test/20261129/us-east-1/dynamodb/aws4_request';
    const headers = {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `DynamoDB_20120810.${operation}`,
      'x-amz-date': '20261129T000000Z',
      authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0`,
    };
    return request(emulator.endpoint, { method: 'POST', agent, headers }).end(JSON.stringify(input));
  };
  await answerTo(ask('CreateTable', TABLE));

  // All for the same item, so that they wait for each other
  const asked = Array.from({ length: ASKED }, () => ask('UpdateItem', ADD_ONE));
  const answers = asked.map(answerTo);
  await Promise.all(asked.map((each) => once(each, 'finish')));
  // Arrived after them, but waits for none
  await answerTo(ask('ListTables', {}));
  const stoppedAtMs = performance.now();
  await emulator.stop();
  expect(performance.now() - stoppedAtMs).toBeLessThan(1500);

  const counts = (await Promise.all(answers)).map(({ Attributes }) => Number(Attributes?.times.N));
  expect(new Set(counts).size).toBe(ASKED);
  agent.destroy();
});

async function answerTo(asking: ClientRequest): Promise<{ Attributes?: { times: { N: string } } }> {
  const [response] = (await once(asking, 'response')) as [IncomingMessage];
  return (await json(response)) as { Attributes?: { times: { N: string } } };
}
