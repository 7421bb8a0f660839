import { type Backends, type OwnBackends, startBackendsOf } from 'baton-dev/testing/backends';
import { resourcesOf } from 'baton-dev/stack/described-stack';
import { type Part, readSharedPart } from 'baton-dev/stack/part';
import { lanedNap } from './laned-nap.ts';

/** The result of `startBackends`. */
export type { Backends };

/** The queues of the library's tests. `reports` has the lanes of `lanedNap`. */
export type TestQueue = 'default' | 'reports' | 'letters';

/**
 * Starts SQS and DynamoDB with the tasks table, these queues and their dead-letter queues. All names are unique to the
 * test.
 */
export function startBackends(queues: readonly TestQueue[], own: OwnBackends = {}): Promise<Backends> {
  const partsOf = (stage: string): Part[] => [
    readSharedPart(stage),
    ...queues.map((queue) => queuePart(queue, stage)),
  ];
  return startBackendsOf((stage) => resourcesOf(partsOf(stage), [lanedNap], stage), own);
}

/** The part of a functions.yml that describes a queue. */
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
