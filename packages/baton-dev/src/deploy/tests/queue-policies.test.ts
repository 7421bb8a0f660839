import { describe, expect, test } from '@jest/globals';
import { ofType, QUEUE } from '../../stack/resources.ts';
import { stackOf } from './described.ts';

const resourcesOf = (given: Record<string, string> = {}) => stackOf(given).resources.Resources;

test('each queue, its lanes and its dead letters too, refuses requests without TLS', () => {
  const resources = resourcesOf();
  const queues = ofType(resources, QUEUE).map(([id]) => id);
  expect(queues).toEqual(
    expect.arrayContaining(['ParcelsQueueHighLane', 'ParcelsDeadLetters', 'DefaultQueue']),
  );
  const refusing = ofType(resources, 'AWS::SQS::QueuePolicy').map(([, { Properties }]) => {
    const id = (Properties['Queues'] as { Ref: string }[])[0]?.Ref ?? '';
    expect(Properties['PolicyDocument']).toEqual({
      Version: '2012-10-17',
      Statement: [
        {
          Sid: 'OnlyTls',
          Effect: 'Deny',
          Principal: '*',
          Action: 'sqs:*',
          Resource: { 'Fn::GetAtt': [id, 'Arn'] },
          Condition: { Bool: { 'aws:SecureTransport': 'false' } },
        },
      ],
    });
    return id;
  });
  expect(refusing.toSorted()).toEqual(queues.toSorted());
});

describe('dead letters', () => {
  test('are kept as long as the deploy says', () => {
    const kept = (given: Record<string, string>) =>
      resourcesOf(given)['ParcelsDeadLetters']?.Properties['MessageRetentionPeriod'];
    expect(kept({})).toBe(14 * 86_400);
    expect(kept({ 'dead-letter-retention-days': '9' })).toBe(9 * 86_400);
  });

  test('must be kept longer than their queue keeps messages, because SQS counts from the first send', () => {
    expect(() => resourcesOf({ 'dead-letter-retention-days': '7' })).toThrow(
      /^The queue baton-dev-[\w-]+ keeps messages as long as its dead-letter queue would: expected a dead-letter-retention-days above 7$/,
    );
  });
});
