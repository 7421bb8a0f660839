// The dead letter of a message: its reason and details, as SQS takes them.
import type { MessageAttributeValue } from '@aws-sdk/client-sqs';
import { formatTraceparent } from '../telemetry/trace-context.ts';
import { attemptOf, withoutNotes } from './copy-notes.ts';
import { decodeEnvelope, type Envelope } from './envelope.ts';
import { laneOfQueue } from '../task/lane.ts';
import type { DeadLetterReason } from '../task/dead-letter-reason.ts';
import type { DeadLetterOutcome } from '../task/outcome.ts';
import type { ReceivedMessage } from './received-message.ts';
import { MAX_MESSAGE_BYTES } from './queue-sender.ts';

/** SQS takes ten attributes a message (Amazon SQS message quotas). */
const MAX_ATTRIBUTES = 10;
const MAX_ERROR_CHARACTERS = 1000;
/** The characters that SQS refuses in an attribute: all control characters except three (SendMessage in its API reference). */
const NOT_ALLOWED = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD]/g;

/** Why a message becomes a dead letter, and which worker decided that. */
export interface DeadLetter {
  readonly reason: DeadLetterReason;
  readonly error: Error;
  /** How its task ended, if it is tracked. */
  readonly end?: DeadLetterOutcome['end'];
  /** The id of the worker that gave the message up. */
  readonly workerId: string;
  /** The queue that the message was in; of a lane that one's own, such as `payments_high`. */
  readonly queue: string;
}

/**
 * Makes the SQS entry that puts a message into its dead-letter queue. It has the message's body and attributes, and before
 * those `baton.reason`, `baton.details` (JSON: error, task, attempts, times, worker, and the lane unless it is the default
 * one) and `traceparent`. If that is more than SQS takes, the last attributes are left out, but never the body.
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
    task: envelope?.task,
    taskId: envelope?.taskId,
    // SQS counts all receives, including releases and deliveries while the task ran elsewhere
    attempts: end?.attempts ?? attemptOf(message),
    sentAt: new Date(message.sentAtMs).toISOString(),
    firstReceivedAt: new Date(message.firstReceivedAtMs).toISOString(),
    // Exactly the time in the task's row: it identifies the end that this dead letter belongs to
    deadAt: end?.at ?? new Date(nowMs).toISOString(),
    worker: workerId,
    // All lanes share the dead-letter queue
    lane: laneOfQueue(queue),
  };
  const own = {
    'baton.reason': text(reason),
    'baton.details': text(JSON.stringify(details)),
    ...(envelope?.trace && { traceparent: text(formatTraceparent(envelope.trace)) }),
  };
  return {
    MessageBody: message.body,
    MessageAttributes: fitting({ ...own, ...withoutNotes(message.attributes), ...own }, message.body),
  };
}

function envelopeOf(body: string): Envelope | undefined {
  try {
    return decodeEnvelope(body);
  } catch {
    return undefined;
  }
}

function text(value: string): MessageAttributeValue {
  return { DataType: 'String', StringValue: value.replaceAll(NOT_ALLOWED, ' ') };
}

/** The attributes that fit beside a body, in their order. */
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

/** Name, type and value count towards a message's size (Amazon SQS message metadata). */
function attributeBytes(name: string, { DataType, StringValue, BinaryValue }: MessageAttributeValue): number {
  return Buffer.byteLength(name + (DataType ?? '') + (StringValue ?? '')) + (BinaryValue?.byteLength ?? 0);
}
