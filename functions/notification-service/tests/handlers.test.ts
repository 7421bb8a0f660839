import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { PutCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { encodeEnvelope } from '@baton/common/queue/envelope';
import { type Backends, startBackends } from '@baton/tests/backends';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';

const mail = { channel: 'EMAIL', recipient: 'customer@example.com', subject: 'Hello', message: 'World' };
const context = { getRemainingTimeInMillis: () => 30_000 };

let backends: Backends;
let deliveries: (event: SQSEvent, invocation: typeof context) => Promise<SQSBatchResponse>;

beforeAll(async () => {
  backends = await startBackends(['functions/notification-service']);
  const table = `baton-${backends.stage}-notifications`;
  Object.assign(process.env, backends.environment, { NOTIFICATIONS_TABLE: table, LOG_LEVEL: 'silent' });
  ({ deliveries } = await import('../handlers.ts'));
});
afterAll(() => backends.stop());

function delivery(taskId: string, messageId: string): SQSEvent['Records'][number] {
  const time = '2026-11-22T10:00:00.000Z';
  return {
    messageId,
    receiptHandle: messageId,
    body: encodeEnvelope({
      taskId,
      task: 'notifications.send',
      source: 'tests',
      time,
      trace: undefined,
      data: mail,
    }),
    attributes: {
      ApproximateReceiveCount: '1',
      SentTimestamp: String(Date.now()),
      SenderId: '',
      ApproximateFirstReceiveTimestamp: '0',
    },
    messageAttributes: {},
    md5OfBody: '',
    eventSource: 'aws:sqs',
    eventSourceARN: `arn:aws:sqs:us-east-1:000000000000:baton-${backends.stage}-notifications`,
    awsRegion: 'us-east-1',
  };
}

async function rows(): Promise<Record<string, unknown>[]> {
  const { Items = [] } = await backends.documents.send(
    new ScanCommand({ TableName: `baton-${backends.stage}-notifications` }),
  );
  return Items;
}

describe('a notification', () => {
  test('that SQS has not taken is shown to nobody', async () => {
    const { notifications } = await import('../service.ts');
    const TableName = `baton-${backends.stage}-notifications`;
    for (const status of ['pending', 'accepted']) {
      await backends.documents.send(
        new PutCommand({ TableName, Item: { notificationId: status, status, listedAt: '1' } }),
      );
    }
    await expect(notifications.find('pending')).resolves.toBeUndefined();
    await expect(notifications.find('accepted')).resolves.toBeDefined();
  });

  test('is one row, delivered once, however often its message comes', async () => {
    const once = await deliveries({ Records: [delivery('n-1', 'm-1')] }, context);
    const delivered = async () => (await rows()).filter((row) => row['notificationId'] === 'n-1');
    const [first] = await delivered();
    const atOneTime = await deliveries(
      { Records: [delivery('n-1', 'm-2'), delivery('n-1', 'm-3')] },
      context,
    );
    expect([once, atOneTime]).toEqual([{ batchItemFailures: [] }, { batchItemFailures: [] }]);
    await expect(delivered()).resolves.toEqual([first]);
    expect(first).toMatchObject({
      ...mail,
      notificationId: 'n-1',
      status: 'delivered',
      deliveredBy: 'outbox',
    });
  });
});
