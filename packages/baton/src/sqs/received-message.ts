// Received messages, from ReceiveMessage or from a Lambda record.
import type { Message, MessageAttributeValue } from '@aws-sdk/client-sqs';
import type { SQSRecord } from 'aws-lambda';

/** A message that was received, is hidden from other receivers, and is not yet settled. */
export interface ReceivedMessage {
  readonly messageId: string;
  /** Identifies this receive. The next receive of the message has another. */
  readonly receiptHandle: string;
  readonly body: string;
  /** How many times SQS has handed the message out, including this time (ApproximateReceiveCount). */
  readonly receiveCount: number;
  /** When SQS accepted the message, in milliseconds since 1970 (SentTimestamp). */
  readonly sentAtMs: number;
  /** When SQS first handed it out, in milliseconds since 1970 (ApproximateFirstReceiveTimestamp). */
  readonly firstReceivedAtMs: number;
  /** The attributes that its sender gave it. Messages that Baton sends have only notes. */
  readonly attributes: Readonly<Record<string, MessageAttributeValue>>;
}

/** How long ago SQS accepted a message, in milliseconds. @param now - SQS's time. Default: the system's */
export function ageMs({ sentAtMs }: ReceivedMessage, now: () => number = Date.now): number {
  return now() - sentAtMs;
}

/** About how many bytes of memory a message takes: its body, which is ASCII as a rule, and its attributes. */
export function bytesOf({ body, attributes }: ReceivedMessage): number {
  let bytes = body.length;
  for (const { StringValue = '', BinaryValue } of Object.values(attributes))
    bytes += StringValue.length + (BinaryValue?.byteLength ?? 0);
  return bytes;
}

/** The system attributes that a receive must request from SQS. */
export const RECEIVED_ATTRIBUTES = [
  'ApproximateReceiveCount',
  'SentTimestamp',
  'ApproximateFirstReceiveTimestamp',
] as const;

/** Makes a message from a result of ReceiveMessage. */
export function fromReceive({
  MessageId,
  ReceiptHandle,
  Body,
  Attributes,
  MessageAttributes,
}: Message): ReceivedMessage {
  return {
    messageId: MessageId ?? '',
    receiptHandle: ReceiptHandle ?? '',
    body: Body ?? '',
    ...countsOf(Attributes),
    attributes: MessageAttributes ?? {},
  };
}

/** Makes a message from a record of Lambda's event source for SQS. */
export function fromRecord({
  messageId,
  receiptHandle,
  body,
  attributes,
  messageAttributes,
}: SQSRecord): ReceivedMessage {
  return {
    messageId,
    receiptHandle,
    body,
    ...countsOf(attributes),
    attributes: attributesOf(messageAttributes),
  };
}

type SystemAttributes = { readonly [Name in (typeof RECEIVED_ATTRIBUTES)[number]]?: string | undefined };

/** Reads the numbers that SQS gives as texts. A missing or invalid one, as in a test's event, means a first receive now. */
function countsOf(attributes: SystemAttributes = {}) {
  const { ApproximateReceiveCount, SentTimestamp, ApproximateFirstReceiveTimestamp } = attributes;
  return {
    receiveCount: Math.max(1, numberFrom(ApproximateReceiveCount, 1)),
    sentAtMs: numberFrom(SentTimestamp, Date.now()),
    firstReceivedAtMs: numberFrom(ApproximateFirstReceiveTimestamp, Date.now()),
  };
}

function numberFrom(text: string | undefined, otherwise: number): number {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : otherwise;
}

/** Converts attributes of Lambda's records, which are in camel case, with binary values in base64. */
function attributesOf(attributes: SQSRecord['messageAttributes']): Record<string, MessageAttributeValue> {
  const entries = Object.entries(attributes).map(([name, { dataType, stringValue, binaryValue }]) => [
    name,
    {
      DataType: dataType,
      ...(stringValue !== undefined && { StringValue: stringValue }),
      ...(binaryValue !== undefined && { BinaryValue: Buffer.from(binaryValue, 'base64') }),
    },
  ]);
  return Object.fromEntries(entries) as Record<string, MessageAttributeValue>;
}
