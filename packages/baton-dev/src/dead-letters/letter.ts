import type { Message, MessageAttributeValue } from '@aws-sdk/client-sqs';
import { decodeEnvelope, laneOfQueue, laneQueueName } from 'baton-tasks/tooling';

/** What a letter is listed with that SQS itself has moved, after too many receives: it says no reason. */
export const NO_REASON = 'none';

/** SQS's time is known to the second. */
const CLOCK_RESOLUTION_MS = 1000;

/** A message of a dead letter queue, held by its receipt handle. */
export interface Letter {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly attributes: Readonly<Record<string, MessageAttributeValue>>;
  /** The queue that it goes back to: the one that was asked about, or its lane. */
  readonly queue: string;
  /** Why it was set aside, such as `rejected`. */
  readonly reason: string;
  /** The error of its last attempt: name and message. */
  readonly error: string | undefined;
  /** The name of its task; unknown when its body is no envelope. */
  readonly task: string | undefined;
  readonly taskId: string | undefined;
  /** The attempts that were made at it. */
  readonly attempts: number | undefined;
  /** Since when it is a dead letter, ISO 8601. */
  readonly deadAt: string;
  /** Whether it was set aside after somebody began to look at the dead letters. */
  readonly isNewcomer: boolean;
}

/** What `baton.details` may say. Somebody may have changed it by hand, so that nothing is taken for granted. */
interface Details {
  readonly error?: unknown;
  readonly message?: unknown;
  readonly attempts?: unknown;
  readonly deadAt?: unknown;
  readonly lane?: unknown;
}

/**
 * Reads a message of the dead letter queue of `queue`.
 *
 * @param sinceMs - when somebody began to look, by SQS's time
 */
export function letterOf(message: Message, queue: string, sinceMs = Infinity): Letter {
  const { MessageId = '', ReceiptHandle = '', Body = '', Attributes, MessageAttributes = {} } = message;
  const details = detailsOf(MessageAttributes['baton.details']?.StringValue);
  const { error, message: text, attempts, deadAt, lane = laneMovedFrom(Attributes, queue) } = details;
  const said = [error, text].filter((part) => typeof part === 'string' && part !== '');
  const takenAtMs = Number(Attributes?.SentTimestamp ?? Date.now());
  const takenAt = new Date(takenAtMs).toISOString();
  return {
    messageId: MessageId,
    receiptHandle: ReceiptHandle,
    body: Body,
    attributes: MessageAttributes,
    queue: typeof lane === 'string' && lane !== '' ? laneQueueName(queue, lane) : queue,
    reason: MessageAttributes['baton.reason']?.StringValue ?? NO_REASON,
    error: said.length > 0 ? said.join(': ') : undefined,
    ...taskIn(Body),
    attempts: typeof attempts === 'number' ? attempts : undefined,
    deadAt: typeof deadAt === 'string' && !Number.isNaN(Date.parse(deadAt)) ? deadAt : takenAt,
    isNewcomer: takenAtMs > sinceMs + CLOCK_RESOLUTION_MS,
  };
}

function detailsOf(json: string | undefined): Details {
  try {
    return (JSON.parse(json ?? '{}') as Details | null) ?? {};
  } catch {
    return {};
  }
}

/** The lane that SQS itself moved a letter from; nothing for any other letter, and for the default lane. */
function laneMovedFrom(attributes: Message['Attributes'], queue: string): string | undefined {
  const source = attributes?.DeadLetterQueueSourceArn?.split(':').at(-1) ?? '';
  const end = source.lastIndexOf(`-${laneQueueName(queue, '')}`);
  return end < 0 ? undefined : laneOfQueue(source.slice(end + 1));
}

function taskIn(body: string): Pick<Letter, 'task' | 'taskId'> {
  try {
    const { task, taskId } = decodeEnvelope(body);
    return { task, taskId };
  } catch {
    return { task: undefined, taskId: undefined };
  }
}
