// Dead letters: the messages of a dead-letter queue, with their reason and details.
import type { MessageAttributeValue } from '@aws-sdk/client-sqs';
import { reasonOf } from '../telemetry/thrown.ts';
import { formatTraceparent } from '../telemetry/trace-context.ts';
import { attemptOf, withoutNotes } from './copy-notes.ts';
import { decodeEnvelope, type Envelope } from './envelope.ts';
import { laneOfQueue } from '../task/lane.ts';
import { DEFAULT_MAX_PAYLOAD_BYTES, MAX_MESSAGE_BYTES } from '../task/task.ts';
import type { DeadLetterReason } from '../task/dead-letter-reason.ts';
import type { DeadLetterOutcome } from '../task/outcome.ts';
import type { ReceivedMessage } from './received-message.ts';

/** The attribute with the details of a dead letter, as JSON. */
const DETAILS = 'baton.details';
/** Baton's own details are shorter. */
const MAX_DETAILS_CHARACTERS = 10_000;
/** The most attributes of a message (Amazon SQS message quotas). */
const MAX_ATTRIBUTES = 10;
const MAX_ERROR_CHARACTERS = 1000;
const MAX_CAUSE_CHARACTERS = 300;
/** The characters that SQS refuses in an attribute (SendMessage in its API reference). */
const NOT_ALLOWED = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD]/g;

/** Why a message becomes a dead letter, and which worker decided that. */
export interface DeadLetter {
  readonly reason: DeadLetterReason;
  readonly error: Error;
  /** How its task ended, if it is tracked. */
  readonly end?: DeadLetterOutcome['end'];
  /** The id of the worker that decided it. */
  readonly workerId: string;
  /** The queue that the message was in. In a lane, the lane's queue, such as `payments_high`. */
  readonly queue: string;
}

/**
 * Makes the entry of SendMessageBatch that sends a message's dead letter. It has the message's body, the attributes
 * `baton.reason`, `baton.details` (JSON: error, cause, task, attempts, times, worker, and the lane unless it is the default one)
 * and `traceparent`, and then the message's own attributes. If SQS would refuse so many, it leaves out the last ones.
 */
export function deadLetterEntry(
  message: ReceivedMessage,
  { reason, error, end, workerId, queue }: DeadLetter,
  nowMs = Date.now(),
) {
  const envelope = envelopeOf(message.body);
  const details = {
    error: error.name,
    message: error.message.slice(0, MAX_ERROR_CHARACTERS),
    cause: error.cause === undefined ? undefined : reasonOf(error.cause).slice(0, MAX_CAUSE_CHARACTERS),
    task: envelope?.task,
    taskId: envelope?.taskId,
    // The row's count is better: SQS also counts receives that were no attempts
    attempts: end?.attempts ?? attemptOf(message),
    sentAt: new Date(message.sentAtMs).toISOString(),
    firstReceivedAt: new Date(message.firstReceivedAtMs).toISOString(),
    // The same time as in the task's row, because it identifies the end: see `putBackBy`
    deadAt: end?.at ?? new Date(nowMs).toISOString(),
    worker: workerId,
    // All lanes share the dead-letter queue
    lane: laneOfQueue(queue),
  };
  const own = {
    'baton.reason': text(reason),
    [DETAILS]: text(JSON.stringify(details)),
    ...(envelope?.trace && { traceparent: text(formatTraceparent(envelope.trace)) }),
  };
  return {
    MessageBody: message.body,
    MessageAttributes: fitting({ ...own, ...withoutNotes(message.attributes), ...own }, message.body),
  };
}

/** When the task of a dead letter ended, ISO 8601. Undefined for a message without the details of a dead letter. */
export function deadLetterEnd(attributes: ReceivedMessage['attributes']): string | undefined {
  const json = attributes[DETAILS]?.StringValue;
  if (json === undefined || json.length > MAX_DETAILS_CHARACTERS) return undefined;
  try {
    const details = JSON.parse(json) as { deadAt?: unknown } | null;
    return typeof details?.deadAt === 'string' ? details.deadAt : undefined;
  } catch {
    return undefined;
  }
}

function envelopeOf(body: string): Envelope | undefined {
  try {
    // Of a large one it needs no payload
    return decodeEnvelope(body, DEFAULT_MAX_PAYLOAD_BYTES);
  } catch {
    return undefined;
  }
}

function text(value: string): MessageAttributeValue {
  return { DataType: 'String', StringValue: value.replaceAll(NOT_ALLOWED, ' ') };
}

/** The first attributes that fit beside a body. */
function fitting(
  attributes: Readonly<Record<string, MessageAttributeValue>>,
  body: string,
): Record<string, MessageAttributeValue> {
  let leftBytes = MAX_MESSAGE_BYTES - Buffer.byteLength(body);
  const kept = Object.entries(attributes).filter(([name, attribute]) => {
    const bytes = attributeBytes(name, attribute);
    if (bytes > leftBytes) return false;
    leftBytes -= bytes;
    return true;
  });
  return Object.fromEntries(kept.slice(0, MAX_ATTRIBUTES));
}

/** The bytes of a dead letter, as SQS counts them. */
export function deadLetterBytes({
  MessageBody,
  MessageAttributes,
}: ReturnType<typeof deadLetterEntry>): number {
  return Object.entries(MessageAttributes).reduce(
    (bytes, [name, attribute]) => bytes + attributeBytes(name, attribute),
    Buffer.byteLength(MessageBody),
  );
}

/** The bytes of an attribute: its name, type and value count towards a message's size (Amazon SQS message metadata). */
function attributeBytes(name: string, { DataType, StringValue, BinaryValue }: MessageAttributeValue): number {
  return Buffer.byteLength(name + (DataType ?? '') + (StringValue ?? '')) + (BinaryValue?.byteLength ?? 0);
}
