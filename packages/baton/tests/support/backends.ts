import { type Backends, type OwnBackends, startBackendsOf } from 'baton-dev/testing/backends';
import { resourcesOf } from 'baton-dev/stack/described-stack';
import { type Part, readSharedPart } from 'baton-dev/stack/part';
import { lanedNap } from './laned-nap.ts';

/** What `startBackends` gives. */
export type { Backends };

/** The queues that the library's tests choose from. `reports` has the lanes of `lanedNap`. */
export type TestQueue = 'default' | 'reports' | 'letters';

/**
 * Starts an SQS and a DynamoDB with the tasks table and with these queues, each with its dead letter queue, under names
 * that no other test has.
 */
export function startBackends(queues: readonly TestQueue[], own: OwnBackends = {}): Promise<Backends> {
  const partsOf = (stage: string): Part[] => [
    readSharedPart(stage),
    ...queues.map((queue) => queuePart(queue, stage)),
  ];
  return startBackendsOf((stage) => resourcesOf(partsOf(stage), [lanedNap], stage), own);
}

/** What a functions.yml would have of a queue. */
function queuePart(queue: TestQueue, stage: string): Part {
  const name = `baton-${stage}-${queue}`;
  const deadLetters = `${queue}DeadLetters`;
  const RedrivePolicy = { deadLetterTargetArn: { 'Fn::GetAtt': [deadLetters, 'Arn'] }, maxReceiveCount: 30 };
  return {
    resources: {
      Resources: {
        [`${queue}Queue`]: {
          Type: 'AWS::SQS::Queue',
          Properties: { QueueName: name, VisibilityTimeout: 540, RedrivePolicy },
        },
        [deadLetters]: { Type: 'AWS::SQS::Queue', Properties: { QueueName: `${name}-dlq` } },
      },
    },
  };
}
