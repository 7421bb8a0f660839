import type { Message } from '@aws-sdk/client-sqs';
import type { SQSRecord } from 'aws-lambda';

/** A message as a worker holds it: received, hidden from others, not yet settled. */
export interface ReceivedMessage {
  readonly messageId: string;
  /** Names this very receive; the next receive of the message gets another. */
  readonly receiptHandle: string;
  readonly body: string;
  /** How often SQS has handed the message out, this time included (ApproximateReceiveCount). */
  readonly receiveCount: number;
  /** When SQS took the message, in milliseconds since 1970 (SentTimestamp). */
  readonly sentAtMs: number;
}

/** The system attributes that a receive must ask SQS for. */
export const RECEIVED_ATTRIBUTES = ['ApproximateReceiveCount', 'SentTimestamp'] as const;

/** A message as ReceiveMessage gives it. */
export function fromReceive({ MessageId, ReceiptHandle, Body, Attributes }: Message): ReceivedMessage {
  return {
    messageId: MessageId ?? '',
    receiptHandle: ReceiptHandle ?? '',
    body: Body ?? '',
    receiveCount: Number(Attributes?.ApproximateReceiveCount ?? 1),
    sentAtMs: Number(Attributes?.SentTimestamp ?? Date.now()),
  };
}

/** A message as Lambda's event source for SQS gives it. */
export function fromRecord({ messageId, receiptHandle, body, attributes }: SQSRecord): ReceivedMessage {
  return {
    messageId,
    receiptHandle,
    body,
    receiveCount: Number(attributes.ApproximateReceiveCount),
    sentAtMs: Number(attributes.SentTimestamp),
  };
}
