// The queues in a template.
import { idOfArn, ofType, QUEUE, type Resources } from './resources.ts';
import { StackError } from './stack-error.ts';

/** A queue of the stack. */
export interface Queue {
  /** Its logical id. */
  readonly id: string;
  /** Its whole name, such as `baton-dev-payments`, or `baton-dev-payments_high` of a lane. */
  readonly name: string;
  /** Its other properties, as CloudFormation has them. */
  readonly properties: Readonly<Record<string, unknown>>;
  /** The dead-letter queue, to which SQS moves messages that were received too often. */
  readonly deadLetters: DeadLetters | undefined;
}

/** The dead-letter queue of a queue. */
export interface DeadLetters {
  readonly id: string;
  readonly name: string;
  readonly maxReceiveCount: number;
}

/** A queue of the stack that has a dead-letter queue. */
export interface SourceQueue extends Queue {
  readonly deadLetters: DeadLetters;
}

/**
 * The queues of a stack.
 *
 * @throws StackError naming the queue whose name or RedrivePolicy is not understood
 */
export function queuesOf(resources: Resources): Queue[] {
  return ofType(resources, QUEUE).map(([id, { Properties }]) => {
    const { QueueName: _name, RedrivePolicy: _policy, ...properties } = Properties;
    return { id, name: nameOf(id, resources), properties, deadLetters: deadLettersOf(id, resources) };
  });
}

/** The queues that have a dead-letter queue. @throws StackError as `queuesOf` does */
export function sourceQueues(resources: Resources): SourceQueue[] {
  return queuesOf(resources).filter((queue): queue is SourceQueue => queue.deadLetters !== undefined);
}

/**
 * The name of the queue that an ARN in the template refers to.
 *
 * @param where - for the error
 * @throws StackError unless it is `!GetAtt Queue.Arn` of a queue of this stack
 */
export function queueNameOfArn(where: string, arn: unknown, resources: Resources): string {
  const id = idOfArn(arn);
  if (id !== undefined && resources[id]?.Type === QUEUE) return nameOf(id, resources);
  throw new StackError(
    `${where}: expected !GetAtt, then a queue of this stack and .Arn, got ${JSON.stringify(arn)}`,
  );
}

function nameOf(id: string, resources: Resources): string {
  const name = resources[id]?.Properties['QueueName'];
  if (typeof name === 'string') return name;
  throw new StackError(`${id}.QueueName: expected the name of the queue, got ${JSON.stringify(name)}`);
}

function deadLettersOf(queueId: string, resources: Resources): DeadLetters | undefined {
  const policy = resources[queueId]?.Properties['RedrivePolicy'];
  if (policy === undefined) return undefined;
  const { deadLetterTargetArn, maxReceiveCount } = policy as Readonly<Record<string, unknown>>;
  const where = `${queueId}.RedrivePolicy`;
  const name = queueNameOfArn(`${where}.deadLetterTargetArn`, deadLetterTargetArn, resources);
  if (typeof maxReceiveCount !== 'number')
    throw new StackError(
      `${where}.maxReceiveCount: expected a whole number, got ${JSON.stringify(maxReceiveCount)}`,
    );
  return { id: idOfArn(deadLetterTargetArn) ?? '', name, maxReceiveCount };
}
