// The queues of the stack on AWS.
import { queuesOf, sourceQueues } from '../stack/queues.ts';
import {
  arnOf,
  QUEUE,
  queueArn,
  ref,
  type Resource,
  type Resources,
  type Value,
} from '../stack/resources.ts';
import { StackError } from '../stack/stack-error.ts';

const DAY_SECONDS = 86_400;

/**
 * Restricts dead-letter queues to messages of their own source queues, and sets how long they keep them. By default any
 * queue of the account may use them (Amazon SQS Developer Guide, "Configuring a dead-letter queue").
 *
 * @throws StackError if one would keep a message for no longer than its source queue: SQS counts from the first send
 */
export function deadLetterQueues(resources: Resources, retentionDays: number): Resources {
  const MessageRetentionPeriod = retentionDays * DAY_SECONDS;
  const sources = sourceQueues(resources);
  const ids = new Set(sources.map(({ deadLetters }) => deadLetters.id));
  const entries = [...ids].map((id): [string, Resource] => {
    const queue = resources[id] ?? { Type: QUEUE, Properties: {} };
    const own = sources.filter(({ deadLetters }) => deadLetters.id === id);
    const longest = own.find(
      ({ properties }) => Number(properties['MessageRetentionPeriod']) >= MessageRetentionPeriod,
    );
    if (longest)
      throw new StackError(
        `The queue ${longest.name} keeps messages as long as its dead-letter queue would: expected a dead-letter-retention-days above ${Number(longest.properties['MessageRetentionPeriod']) / DAY_SECONDS}`,
      );
    const RedriveAllowPolicy = {
      redrivePermission: 'byQueue',
      sourceQueueArns: own.map(({ name }) => queueArn(name)),
    };
    return [
      id,
      { ...queue, Properties: { ...queue.Properties, MessageRetentionPeriod, RedriveAllowPolicy } },
    ];
  });
  return Object.fromEntries(entries);
}

/**
 * A policy for each queue. It refuses every request without TLS (Amazon SQS Developer Guide, "Amazon SQS security best
 * practices").
 */
export function queuePolicies(resources: Resources): Resources {
  const entries = queuesOf(resources).map(({ id }): [string, Resource] => [
    `${id}Policy`,
    {
      Type: 'AWS::SQS::QueuePolicy',
      Properties: {
        Queues: [ref(id)],
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: [
            {
              Sid: 'OnlyTls',
              Effect: 'Deny',
              Principal: '*',
              Action: 'sqs:*',
              Resource: arnOf(id),
              Condition: { Bool: { 'aws:SecureTransport': 'false' } },
            },
          ],
        },
      },
    },
  ]);
  return Object.fromEntries(entries);
}

/** An output of the stack. */
export interface Output {
  readonly Description: string;
  readonly Value: Value;
}

/** The URLs of all queues as outputs of the stack, such as PaymentsQueueUrl. */
export function queueOutputs(resources: Resources): Readonly<Record<string, Output>> {
  const outputs = queuesOf(resources).map(({ id, name }) => [
    `${id}Url`,
    { Description: `The URL of the queue ${name}`, Value: ref(id) },
  ]);
  return Object.fromEntries(outputs) as Record<string, Output>;
}
