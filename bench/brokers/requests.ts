import type { RequestCounts } from './counting-server.ts';

/** Numbers of requests to one queue, by purpose. */
export interface QueueRequests {
  readonly send: number;
  readonly receive: number;
  readonly delete: number;
  /** Leases, attributes, URLs. Requests of the bench itself do not count. */
  readonly other: number;
}

const KINDS: Readonly<Record<string, keyof QueueRequests | undefined>> = {
  SendMessage: 'send',
  SendMessageBatch: 'send',
  ReceiveMessage: 'receive',
  DeleteMessage: 'delete',
  DeleteMessageBatch: 'delete',
};
/** Actions of the bench itself, which looks whether a queue is empty. */
const OWN = new Set(['GetQueueAttributes', 'CreateQueue', 'DeleteQueue']);

/** Selects the counts of one queue. */
export function requestsIn(counts: RequestCounts, queueUrl: string): QueueRequests {
  const queue = queueUrl.slice(queueUrl.lastIndexOf('/') + 1);
  const requests = { send: 0, receive: 0, delete: 0, other: 0 };
  for (const [name, count] of Object.entries(counts)) {
    const [action = '', of] = name.split(' ');
    if (of === queue && !OWN.has(action)) requests[KINDS[action] ?? 'other'] += count;
  }
  return requests;
}
