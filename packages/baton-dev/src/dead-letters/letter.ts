// One dead letter.
import type { Message, MessageAttributeValue } from '@aws-sdk/client-sqs';
import { decodeEnvelope, isLaneName, laneOfQueue, laneQueueName } from 'baton-tasks/tooling';

/** The reason of a letter that SQS itself moved after too many receives, so it has none. */
export const NO_REASON = 'none';

/** The `Date` header of SQS has whole seconds. */
export const CLOCK_RESOLUTION_MS = 1000;

/** The most characters of a text that a table shows or keeps. A forged letter may have a megabyte of them. */
const KEPT_CHARACTERS = 200;

/** A dead letter without its bytes, which a list of many would not have the memory for. */
export interface Facts {
  readonly messageId: string;
  /** The queue that it is put back to: the queue of the command, or one of its lanes. */
  readonly queue: string;
  /** Its reason, such as `rejected`. */
  readonly reason: string;
  /** The error of its last attempt: name, message and cause. */
  readonly error: string | undefined;
  /** The name of its task. undefined if its body is not an envelope. */
  readonly task: string | undefined;
  readonly taskId: string | undefined;
  /** The attempts of its task; receives if the task is not tracked. */
  readonly attempts: number | undefined;
  /** Since when it is a dead letter, ISO 8601. */
  readonly deadAt: string;
}

/** A received message of a dead-letter queue. */
export interface Letter extends Facts {
  readonly receiptHandle: string;
  readonly body: string;
  readonly attributes: Readonly<Record<string, MessageAttributeValue>>;
  /** When its task ended, as the letter says. undefined if it does not. */
  readonly endedAt: string | undefined;
  /** Whether it became a dead letter after the command started. */
  readonly isNewcomer: boolean;
}

/** The members of `baton.details`, all optional because a person may have changed it by hand. */
interface Details {
  readonly error?: unknown;
  readonly message?: unknown;
  readonly cause?: unknown;
  readonly attempts?: unknown;
  readonly deadAt?: unknown;
  readonly lane?: unknown;
}

/**
 * Reads a message of the dead-letter queue of `queue`.
 *
 * @param sinceMs - the start of the command, by SQS's time
 */
export function letterOf(message: Message, queue: string, sinceMs = Infinity): Letter {
  const { MessageId = '', ReceiptHandle = '', Body = '', Attributes, MessageAttributes = {} } = message;
  const details = detailsOf(MessageAttributes['baton.details']?.StringValue);
  const { error, message: text, cause, attempts, deadAt, lane = laneMovedFrom(Attributes, queue) } = details;
  const said = [error, text, cause].filter((part) => typeof part === 'string' && part !== '');
  const takenAtMs = Number(Attributes?.SentTimestamp ?? Date.now());
  const takenAt = new Date(takenAtMs).toISOString();
  return {
    messageId: MessageId,
    receiptHandle: ReceiptHandle,
    body: Body,
    attributes: MessageAttributes,
    // The sender of a dead letter may have written any text as its lane
    queue: typeof lane === 'string' && isLaneName(lane) ? laneQueueName(queue, lane) : queue,
    reason: MessageAttributes['baton.reason']?.StringValue ?? NO_REASON,
    error: said.length > 0 ? said.join(': ') : undefined,
    ...taskIn(Body),
    attempts: typeof attempts === 'number' ? attempts : undefined,
    endedAt: typeof deadAt === 'string' ? deadAt : undefined,
    deadAt: typeof deadAt === 'string' && !Number.isNaN(Date.parse(deadAt)) ? deadAt : takenAt,
    isNewcomer: takenAtMs > sinceMs + CLOCK_RESOLUTION_MS,
  };
}

/** What remains of a letter while others are read. Its texts are short. */
export function factsOf({ messageId, queue, reason, error, task, taskId, attempts, deadAt }: Facts): Facts {
  const short = { reason: shortText(reason), error: error === undefined ? undefined : shortText(error) };
  return { messageId, queue, ...short, task, taskId, attempts, deadAt: shortText(deadAt) };
}

function shortText(text: string): string {
  // A slice of a string would hold all of it
  return text.length <= KEPT_CHARACTERS ? text : Buffer.from(text.slice(0, KEPT_CHARACTERS)).toString();
}

function detailsOf(json: string | undefined): Details {
  try {
    return (JSON.parse(json ?? '{}') as Details | null) ?? {};
  } catch {
    return {};
  }
}

/** The lane of a letter that SQS itself moved. undefined for any other letter, and for the default lane. */
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
