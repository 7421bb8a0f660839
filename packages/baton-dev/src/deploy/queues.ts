import { StackError } from './stack-error.ts';
import { idOfArn, ofType, QUEUE, queueArn, type Resource, type Resources } from './template.ts';

/** A queue of the stack that has a dead letter queue. */
export interface SourceQueue {
  /** Its logical id. */
  readonly id: string;
  /** Its whole name, such as `baton-dev-orders`, or `baton-dev-orders_high` of a lane. */
  readonly name: string;
  /** The logical id of the queue that its dead letters go to. */
  readonly deadLettersId: string;
}

/**
 * The queues that have a RedrivePolicy.
 *
 * @throws StackError naming one whose dead letter queue is no queue of this stack
 */
export function sourceQueues(resources: Resources): SourceQueue[] {
  return ofType(resources, QUEUE).flatMap(([id, { Properties }]) => {
    const { QueueName, RedrivePolicy } = Properties;
    if (RedrivePolicy === undefined) return [];
    const { deadLetterTargetArn } = RedrivePolicy as { deadLetterTargetArn?: unknown };
    const deadLettersId = idOfArn(deadLetterTargetArn);
    if (deadLettersId === undefined || resources[deadLettersId]?.Type !== QUEUE)
      throw new StackError(
        `${id}.RedrivePolicy: expected deadLetterTargetArn: !GetAtt, then a queue of this stack`,
      );
    if (typeof QueueName !== 'string') throw new StackError(`${id}.QueueName: expected the queue's name`);
    return [{ id, name: QueueName, deadLettersId }];
  });
}

/**
 * The dead letter queues anew, each taking messages of the queues that name it and of no other: without this any queue
 * of the account may (Amazon SQS Developer Guide, "Configuring a dead-letter queue").
 */
export function deadLetterQueues(resources: Resources): Resources {
  const sources = sourceQueues(resources);
  const ids = new Set(sources.map(({ deadLettersId }) => deadLettersId));
  const entries = [...ids].map((id): [string, Resource] => {
    const queue = resources[id] ?? { Type: QUEUE, Properties: {} };
    const own = sources.filter(({ deadLettersId }) => deadLettersId === id);
    const RedriveAllowPolicy = {
      redrivePermission: 'byQueue',
      sourceQueueArns: own.map(({ name }) => queueArn(name)),
    };
    return [id, { ...queue, Properties: { ...queue.Properties, RedriveAllowPolicy } }];
  });
  return Object.fromEntries(entries);
}

/** The URLs of all queues, as outputs of the stack: OrdersQueueUrl and so on. */
export function queueOutputs(resources: Resources): Record<string, { Description: string; Value: unknown }> {
  const outputs = ofType(resources, QUEUE).map(([id, { Properties }]) => [
    `${id}Url`,
    { Description: `The URL of the queue ${String(Properties['QueueName'])}`, Value: { Ref: id } },
  ]);
  return Object.fromEntries(outputs) as Record<string, { Description: string; Value: unknown }>;
}
