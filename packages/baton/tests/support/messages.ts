import { encodeEnvelope, type Envelope } from '../../src/sqs/envelope.ts';
import type { ReceivedMessage } from '../../src/sqs/received-message.ts';

/** When all envelopes are sent, so that two of one task are equal. */
const TIME = '2026-11-22T10:00:00.000Z';

/** Makes a received message: a first receive of an empty message that SQS took just now, except for `change`. */
export function receivedMessage(change: Partial<ReceivedMessage> = {}): ReceivedMessage {
  const nowMs = Date.now();
  return {
    messageId: 'm-1',
    receiptHandle: 'r-1',
    body: '',
    receiveCount: 1,
    sentAtMs: nowMs,
    firstReceivedAtMs: nowMs,
    attributes: {},
    ...change,
  };
}

/** Makes an envelope: of the task `t-1` with an empty payload and no trace, except for `change`. */
export function testEnvelope(change: Partial<Envelope> & Pick<Envelope, 'task'>): Envelope {
  return { taskId: 't-1', source: 'tests', time: TIME, trace: undefined, data: {}, ...change };
}

/** Makes the body of a message, as `testEnvelope` makes its envelope. */
export function messageBody(change: Partial<Envelope> & Pick<Envelope, 'task'>): string {
  return encodeEnvelope(testEnvelope(change));
}

/** Makes a message's attributes of texts, such as notes. */
export function textAttributes(texts: Readonly<Record<string, string>>): ReceivedMessage['attributes'] {
  return Object.fromEntries(
    Object.entries(texts).map(([name, StringValue]) => [name, { DataType: 'String', StringValue }]),
  );
}
