// Counts the messages of a queue, for tests.
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import type { Backends } from './backends.ts';

/** The numbers of a queue's visible messages, and of those hidden by a lease or a rest. */
export interface MessageCounts {
  readonly visible: number;
  readonly hidden: number;
}

/** Counts the messages at a queue's URL. */
export async function countMessages({ sqs }: Backends, QueueUrl: string): Promise<MessageCounts> {
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }),
  );
  return {
    visible: Number(Attributes.ApproximateNumberOfMessages),
    hidden: Number(Attributes.ApproximateNumberOfMessagesNotVisible),
  };
}
