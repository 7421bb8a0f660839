// The long polls of the embedded SQS.
import type { Socket } from 'node:net';
import type { Body, FauxqsQueue, FauxqsStore, Handler, Received } from './fauxqs-internals.ts';

/** Stores that stop. Their polls no longer wait. */
const stopping = new WeakSet<FauxqsStore>();

/** Ends all polls of a store. */
export function stopPolls(store: FauxqsStore): void {
  stopping.add(store);
}

/**
 * Makes a ReceiveMessage whose long poll waits until it gets a message. The long poll of fauxqs ends empty if another poll
 * was quicker, and takes a message even if its caller has closed the connection.
 *
 * @param receive - receives without waiting
 * @param takesAfterHangUp - whether a poll whose caller has closed the connection may still take messages
 */
export function longPoll(receive: Handler, takesAfterHangUp: boolean): Handler {
  return async (body, store, request) => {
    const { socket } = request.raw;
    const queue = store.getQueue(String(body['QueueUrl']));
    const untilMs = Date.now() + waitMsOf(body, queue);
    for (;;) {
      if (socket.destroyed && !takesAfterHangUp) return {};
      const answer = (await receive({ ...body, WaitTimeSeconds: 0 }, store, request)) as {
        Messages?: Received[];
      };
      const leftMs = untilMs - Date.now();
      if (answer.Messages || !queue || leftMs <= 0 || stopping.has(store)) {
        if (queue && answer.Messages) addSourceArns(answer.Messages, body, queue);
        return answer;
      }
      await untilMessage(queue, leftMs / 1000, socket);
    }
  };
}

/** Wakes as many polls as there are messages. The queue's timer wakes others if those leave some. */
export function wakePolls(queue: FauxqsQueue): void {
  const count = queue.isFifo() ? queue.pollWaiters.length : queue.messages.length;
  for (const waiter of queue.pollWaiters.splice(0, count)) {
    clearTimeout(waiter.timer);
    waiter.resolve();
  }
}

function waitMsOf({ WaitTimeSeconds }: Body, queue: FauxqsQueue | undefined): number {
  return Number(WaitTimeSeconds ?? queue?.attributes['ReceiveMessageWaitTimeSeconds'] ?? 0) * 1000;
}

async function untilMessage(queue: FauxqsQueue, seconds: number, socket: Socket): Promise<void> {
  const woken = queue.waitForMessages(seconds);
  const waiter = queue.pollWaiters.at(-1);
  const hangUp = (): void => {
    if (!waiter) return;
    queue.pollWaiters = queue.pollWaiters.filter((other) => other !== waiter);
    clearTimeout(waiter.timer);
    waiter.resolve();
    // Another poll may get the message that woke this one
    wakePolls(queue);
  };
  socket.once('close', hangUp);
  await woken;
  socket.off('close', hangUp);
}

/** Adds the source queue to messages that a redrive policy has moved (AWS: "ReceiveMessage"). */
function addSourceArns(messages: readonly Received[], body: Body, queue: FauxqsQueue): void {
  const asked = new Set([body['AttributeNames'], body['MessageSystemAttributeNames']].flat());
  if (!asked.has('All') && !asked.has('DeadLetterQueueSourceArn')) return;
  for (const message of messages) {
    const sourceArn = queue.inflightMessages.get(message.ReceiptHandle)?.message.sourceArn;
    if (sourceArn !== undefined)
      message.Attributes = { ...message.Attributes, DeadLetterQueueSourceArn: sourceArn };
  }
}
