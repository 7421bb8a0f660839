// The URLs of queues.
import { InvalidValueError, shownValue } from '../task/invalid-value.ts';
import { queueWithoutLane } from '../task/lane.ts';

/** The name of a queue in contracts, or of one of its lanes. Rows name queues too, and others may write them. */
const QUEUE_NAME = /^[a-z0-9-]+(?:_[a-z0-9-]+)?$/;

/**
 * Finds the URLs of queues. All queues of a stage have the same URL except for the name. So one prefix is the whole
 * configuration, and a new queue needs none.
 */
export class QueueUrls {
  readonly #prefix: string;

  /** @param prefix - such as `https://sqs.eu-central-1.amazonaws.com/123456789012/baton-dev-` */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /**
   * The URL of the queue that contracts call `queue`, or of one of its lanes, such as `payments_high`.
   *
   * @throws InvalidValueError if it is no such name. A name such as `_/../other` would lead to another queue
   */
  of(queue: string): string {
    if (!QUEUE_NAME.test(queue)) throw invalidQueue(queue);
    return `${this.#prefix}${queue}`;
  }

  /** The URL of the dead-letter queue of `queue`, which all its lanes share. */
  deadLettersOf(queue: string): string {
    return `${this.of(queueWithoutLane(queue))}-dlq`;
  }

  /** The name in contracts of the queue or lane with this ARN. The whole name if the queue belongs to another stage. */
  nameFromArn(arn: string): string {
    const name = arn.slice(arn.lastIndexOf(':') + 1);
    const stagePrefix = this.#prefix.slice(this.#prefix.lastIndexOf('/') + 1);
    return name.startsWith(stagePrefix) ? name.slice(stagePrefix.length) : name;
  }
}

function invalidQueue(queue: string): InvalidValueError {
  const expected = 'expected lower-case letters, digits and hyphens, and a lane after one underscore';
  return new InvalidValueError('Invalid queue', [
    { path: 'queue', message: `${expected}, got ${shownValue(queue)}` },
  ]);
}
