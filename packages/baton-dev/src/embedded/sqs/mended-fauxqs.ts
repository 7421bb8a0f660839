// Makes fauxqs as strict as AWS.
import {
  type FauxqsInternals,
  type FauxqsQueue,
  type Handler,
  loadInternals,
  type QueueOf,
  Refusal,
  type StoredMessage,
} from './fauxqs-internals.ts';
import { longPoll, stopPolls, wakePolls } from './long-polls.ts';
import { moveTaskHandlers } from './move-tasks.ts';
import { checked, isAllowedText } from './request-checks.ts';
import { chanceOf, type SqsCharacter } from './sqs-character.ts';
import { UnorderedMessages } from './unordered-messages.ts';

/** A hostile queue delivers one in so many of its messages twice. */
const COPY_ONE_IN = 4;
const MAX_COPY_DELAY_MS = 1000;

let below: (limit: number) => number;
let hostile = false;
let mended: Promise<void> | undefined;

/**
 * Makes fauxqs 2.4.1 as strict as AWS. It changes the classes of fauxqs, so it applies to all emulators of this process that
 * start afterwards. A second call only changes the character, which all of them share.
 *
 * - Standard queues keep no order.
 * - Requests that AWS refuses are refused.
 * - A long poll waits until it gets a message, and takes none after its caller has closed the connection.
 * - Dead letters can be moved (StartMessageMoveTask).
 */
export async function mendFauxqs(character: SqsCharacter): Promise<void> {
  below = chanceOf(character.seed);
  ({ hostile } = character);
  mended ??= loadInternals().then(mend);
  await mended;
}

function mend(internals: FauxqsInternals): void {
  // fauxqs refuses all characters beyond U+FFFF, such as emoji
  const test = (text: string): boolean => !isAllowedText(text);
  Object.defineProperty(internals.INVALID_MESSAGE_BODY_CHAR, 'test', { value: test });
  mendActions(internals);
  mendQueues(internals);
}

function mendActions({ SqsRouter, SqsStore, SqsError }: FauxqsInternals): void {
  const register = Reflect.get(SqsRouter.prototype, 'register');
  const refusing =
    (handler: Handler): Handler =>
    async (...args) => {
      try {
        return await handler(...args);
      } catch (error) {
        throw error instanceof Refusal ? new SqsError(error.code, error.message) : error;
      }
    };
  const more = Object.entries(moveTaskHandlers((...args) => SqsStore.createMessage(...args)));
  SqsRouter.prototype.register = function (action, handler) {
    const registered = [[action, mendedHandler(action, handler)] as const];
    // Any one action would do: each is registered once
    if (action === 'CreateQueue') registered.push(...more);
    for (const [name, each] of registered)
      Reflect.apply(register, this, [name, refusing(checked(name, each))]);
  };
}

function mendedHandler(action: string, handler: Handler): Handler {
  if (action !== 'ReceiveMessage') return handler;
  return (body, store, request) => longPoll(handler, hostile)(body, store, request);
}

function mendQueues({ SqsStore, SqsQueue }: FauxqsInternals): void {
  const createQueue = Reflect.get(SqsStore.prototype, 'createQueue');
  const shutdown = Reflect.get(SqsStore.prototype, 'shutdown');
  SqsStore.prototype.createQueue = function (...args) {
    const queue = Reflect.apply(createQueue, this, args);
    if (!queue.isFifo()) queue.messages = new UnorderedMessages((limit) => below(limit));
    return queue;
  };
  SqsStore.prototype.shutdown = function () {
    stopPolls(this);
    Reflect.apply(shutdown, this, []);
  };
  const dequeue = Reflect.get(SqsQueue.prototype, 'dequeue');
  const purge = Reflect.get(SqsQueue.prototype, 'purge');
  SqsQueue.prototype.notifyWaiters = function () {
    wakePolls(this);
  };
  SqsQueue.prototype.purge = function () {
    Reflect.apply(purge, this, []);
    if (!this.isFifo()) this.messages = new UnorderedMessages((limit) => below(limit));
  };
  SqsQueue.prototype.dequeue = function (maxCount, visibilitySeconds, queueOf) {
    const count = hostile ? 1 + below(maxCount) : maxCount;
    const noting = queueOf && notingSource(this, queueOf);
    const received = Reflect.apply(dequeue, this, [count, visibilitySeconds, noting]);
    for (const { ReceiptHandle } of received) noteReceive(this, ReceiptHandle);
    return received;
  };
}

/** Records the source queue in each message that a redrive policy moves. */
function notingSource({ arn: sourceArn }: FauxqsQueue, queueOf: QueueOf): QueueOf {
  return (arn) => {
    const queue = queueOf(arn);
    return queue && { enqueue: (message) => queue.enqueue(Object.assign(message, { sourceArn })) };
  };
}

/** Records when a message was received. A hostile queue may then deliver it once more, even if it is deleted. */
function noteReceive(queue: FauxqsQueue, receiptHandle: string): void {
  const entry = queue.inflightMessages.get(receiptHandle);
  if (!entry) return;
  entry.receivedAtMs = Date.now();
  if (!hostile || !mayCopy(queue, entry.message) || below(COPY_ONE_IN) > 0) return;
  const copy = { ...entry.message, approximateReceiveCount: 0, isCopy: true };
  const deliverAgain = (): void => {
    queue.messages.push(copy);
    queue.notifyWaiters();
  };
  setTimeout(deliverAgain, below(MAX_COPY_DELAY_MS)).unref();
}

/** Delivers no message twice if fauxqs keeps queues in a folder: both would be one row. */
function mayCopy(queue: FauxqsQueue, { approximateReceiveCount, isCopy }: StoredMessage): boolean {
  return !queue.isFifo() && !queue.persistence && approximateReceiveCount === 1 && !isCopy;
}
