import { queueWithoutLane } from '../task/lane.ts';

/**
 * Where queues are. Every queue of a stage has the same URL but for its name, so one prefix is all the
 * configuration there is, and a new queue needs none.
 */
export class QueueUrls {
  readonly #prefix: string;

  /** @param prefix - such as `https://sqs.eu-central-1.amazonaws.com/123456789012/baton-dev-` */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** The URL of the queue that contracts call `queue`, or of one of its lanes, such as `payments_high`. */
  of(queue: string): string {
    return `${this.#prefix}${queue}`;
  }

  /** The URL of the dead letter queue of `queue`, which all of its lanes share. */
  deadLettersOf(queue: string): string {
    return `${this.of(queueWithoutLane(queue))}-dlq`;
  }

  /** The name that contracts use, a lane's included, from a queue's ARN; the whole name where it is of another stage. */
  nameFromArn(arn: string): string {
    const name = arn.slice(arn.lastIndexOf(':') + 1);
    const stagePrefix = this.#prefix.slice(this.#prefix.lastIndexOf('/') + 1);
    return name.startsWith(stagePrefix) ? name.slice(stagePrefix.length) : name;
  }
}
