import type { MessageAttributeValue } from '@aws-sdk/client-sqs';
import { decodeEnvelope, type Envelope } from './envelope.ts';
import type { DeadLetterReason } from './outcome.ts';
import type { ReceivedMessage } from './received-message.ts';
import { formatTraceparent } from '../telemetry/trace-context.ts';

const MAX_ERROR_CHARACTERS = 1000;
/** What SQS takes in a message attribute (SendMessage in its API reference): no control characters but these three. */
const NOT_ALLOWED = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD]/g;

/** Why a message is set aside, and by whom. */
export interface DeadLetter {
  readonly reason: DeadLetterReason;
  readonly error: Error;
  /** The id of the worker that gave up. */
  readonly workerId: string;
}

/** The entry that puts a message into its dead letter queue: the body as it came, the rest in attributes. */
export function deadLetterEntry(message: ReceivedMessage, { reason, error, workerId }: DeadLetter) {
  const envelope = envelopeOf(message.body);
  const attributes = {
    'baton.reason': reason,
    'baton.error': error.name,
    'baton.message': error.message,
    'baton.task': envelope?.task,
    'baton.taskId': envelope?.taskId,
    'baton.attempts': String(message.receiveCount),
    'baton.sentAt': new Date(message.sentAtMs).toISOString(),
    'baton.deadAt': new Date().toISOString(),
    'baton.worker': workerId,
    traceparent: envelope?.trace && formatTraceparent(envelope.trace),
  };
  return { MessageBody: message.body, MessageAttributes: stringAttributes(attributes) };
}

function envelopeOf(body: string): Envelope | undefined {
  try {
    return decodeEnvelope(body);
  } catch {
    return undefined;
  }
}

function stringAttributes(
  values: Readonly<Record<string, string | undefined>>,
): Record<string, MessageAttributeValue> {
  const attributes: Record<string, MessageAttributeValue> = {};
  for (const [name, value] of Object.entries(values)) {
    const text = value?.slice(0, MAX_ERROR_CHARACTERS).replaceAll(NOT_ALLOWED, ' ');
    if (text) attributes[name] = { DataType: 'String', StringValue: text };
  }
  return attributes;
}
