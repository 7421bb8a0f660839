// The consumer of Lambda's event source for SQS: runs and settles the records of a batch.
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { partOfHeapBytes, Room } from '../process/room.ts';
import { ClockWatch } from '../time/clock-watch.ts';
import { Permits } from '../time/permits.ts';
import { TaskError } from '../task/errors.ts';
import { ExclusiveRuns, type Turn } from '../run/exclusive-runs.ts';
import { MAX_VISIBILITY_SECONDS, type Outcome, restingAtMost } from '../task/outcome.ts';
import type { AttemptHost } from '../run/attempt.ts';
import { type Processing } from '../run/processing.ts';
import { processMessage } from '../run/process-message.ts';
import type { QueueUrls } from '../sqs/queue-urls.ts';
import { fromRecord, type ReceivedMessage } from '../sqs/received-message.ts';
import { Settler } from '../sqs/settler.ts';
import { watchFunctions } from '../run/stray-errors.ts';

/** The time kept free at the end of an invocation, in milliseconds: to end handlers, write outcomes, settle and answer. */
const SETTLE_RESERVE_MS = 2500;
/** SQS limits visibility to 12 h from the receive, which may have been up to 30 minutes ago. */
const LONGEST_REST_SECONDS = MAX_VISIBILITY_SECONDS - 1800;
/** How long failed settling is retried within that time. */
const SETTLING_MS = 1500;
/** The least time that must be left to start a record, in milliseconds. */
const SHORTEST_RUN_MS = 500;
/** A handler that ignores its signal must not cost the whole batch its answer. */
const ABORT_GRACE_SECONDS = 0.5;
const DEFAULT_PATIENCE_SECONDS = 21_600;
const DEFAULT_CONCURRENCY = 10;

/** The invocation of a function is nearly over and has no more time for a record. */
export class InvocationEndsError extends TaskError {
  override readonly name = 'InvocationEndsError';

  constructor() {
    super('The invocation is nearly over');
  }
}

/** Configures a function that consumes queues. */
export interface LambdaConsumerOptions extends Omit<
  Processing,
  'unknownTaskPatienceSeconds' | 'abortGraceSeconds'
> {
  readonly sqs: SQSClient;
  readonly queueUrls: QueueUrls;
  /** How long messages of an unknown task are released before they become dead letters, in seconds. Default 21,600 (6 h). */
  readonly unknownTaskPatienceSeconds?: number;
  /** How many records of a batch run at one time. Default 10. */
  readonly concurrency?: number;
}

/** A record whose outcome is known. */
interface Attempted {
  readonly queue: string;
  readonly message: ReceivedMessage;
  readonly outcome: Outcome;
}

/** The limits that the records of one batch share. */
interface Invocation {
  /** Aborts when the invocation has no more time. */
  readonly end: AbortSignal;
  readonly runnableMs: () => number;
  /** Lets a suspect run alone. */
  readonly exclusive: ExclusiveRuns;
}

/** The function that runs a record, from its start to its outcome. */
class RecordHost implements AttemptHost {
  readonly signal: AbortSignal;
  readonly #exclusive: ExclusiveRuns;
  #turn: Turn | undefined;

  constructor(signal: AbortSignal, exclusive: ExclusiveRuns) {
    this.signal = signal;
    this.#exclusive = exclusive;
    exclusive.begin();
  }

  async runAlone(ended: AbortSignal): Promise<boolean> {
    this.#turn = await this.#exclusive.turn(ended);
    return this.#turn.alone;
  }

  decided(): void {
    this.#turn?.over();
    this.#exclusive.end();
  }

  /** Does nothing: the invocation answers without waiting for the handler. */
  outlivedBy(): void {}
}

/** A handler of Lambda's event source for SQS. */
export type LambdaConsumer = (
  event: SQSEvent,
  context: Pick<Context, 'getRemainingTimeInMillis'>,
) => Promise<SQSBatchResponse>;

/**
 * Makes the handler of a function that consumes a queue, for an event source with ReportBatchItemFailures.
 *
 * The records of a batch run side by side, ten at a time. A record that may have killed an earlier invocation runs alone.
 * Once all have run they are settled, except for the delete, which the event source makes. Messages that come back, or that
 * could not be settled, are reported as failed. If the invocation has little time left, no more records start and running
 * ones are aborted. All of them become visible at once and are reported as failed.
 *
 * From this call on, an uncaught error fails the record whose handler left it, and so does a handler's attempt to end the
 * process. The runtime gets errors that belong to no record.
 *
 * @throws TypeError if a tracked task is implemented and there is no tracker
 */
export function createLambdaConsumer(options: LambdaConsumerOptions): LambdaConsumer {
  const { logger, implementations, tracker } = options;
  if (!tracker && implementations.tracked.length > 0)
    throw new TypeError(
      `${implementations.tracked.join(', ')} need a task store: expected the option "tracker"`,
    );
  watchFunctions(logger);
  const consumer = new BatchConsumer(options);
  return (event, context) => consumer.consume(event, context);
}

/** Runs and settles batches of records. */
class BatchConsumer {
  readonly #options: LambdaConsumerOptions;
  readonly #processing: Processing;
  readonly #settlers = new Map<string, Settler>();

  constructor(options: LambdaConsumerOptions) {
    const clock = ClockWatch.of(options.sqs);
    clock.reportTo(options.logger);
    this.#options = options;
    this.#processing = {
      now: () => clock.nowMs,
      unknownTaskPatienceSeconds: DEFAULT_PATIENCE_SECONDS,
      abortGraceSeconds: ABORT_GRACE_SECONDS,
      payloads: new Room(partOfHeapBytes()),
      ...options,
    };
  }

  /** Consumes one batch. Resolves to the messages that come back. Never rejects. */
  async consume(
    { Records }: SQSEvent,
    context: Pick<Context, 'getRemainingTimeInMillis'>,
  ): Promise<SQSBatchResponse> {
    const { concurrency = DEFAULT_CONCURRENCY } = this.#options;
    const runnableMs = (): number => context.getRemainingTimeInMillis() - SETTLE_RESERVE_MS;
    const end = new AbortController();
    const timer = setTimeout(() => end.abort(new InvocationEndsError()), Math.max(0, runnableMs()));
    const invocation = { end: end.signal, runnableMs, exclusive: new ExclusiveRuns({ openFor: 0 }) };
    const attempts = await new Permits(concurrency)
      .map(Records, (record) => this.#attempt(record, invocation))
      .finally(() => clearTimeout(timer));
    // Not earlier: the caller of this function may renew the leases of the whole batch until it answers
    const finished = await Promise.all(
      attempts.map(async (each) => each !== undefined && this.#settle(each)),
    );
    const failed = Records.filter((_, index) => !finished[index]);
    return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
  }

  /** Makes one attempt at a record. Resolves to undefined if that failed: one bad record must not fail the whole batch. */
  async #attempt(record: SQSRecord, invocation: Invocation): Promise<Attempted | undefined> {
    const { messageId } = record;
    try {
      const queue = this.#options.queueUrls.nameFromArn(record.eventSourceARN);
      const message = fromRecord(record);
      return { queue, message, outcome: await this.#outcomeOf(message, queue, invocation) };
    } catch (error) {
      this.#options.logger.error({ messageId, error }, 'record could not be run; it comes back');
      return undefined;
    }
  }

  async #outcomeOf(
    message: ReceivedMessage,
    queue: string,
    { end, runnableMs, exclusive }: Invocation,
  ): Promise<Outcome> {
    const mayStart = !exclusive.closed || (await exclusive.opened(runnableMs(), end));
    if (!mayStart || runnableMs() < SHORTEST_RUN_MS)
      return { kind: 'release', error: new InvocationEndsError() };
    const host = new RecordHost(end, exclusive);
    try {
      const outcome = await processMessage(message, queue, host, this.#processing);
      return restingAtMost(outcome, LONGEST_REST_SECONDS);
    } finally {
      host.decided();
    }
  }

  /** Settles a record. Resolves to whether its message is finished, so that the event source deletes it. */
  async #settle({ queue, message, outcome }: Attempted): Promise<boolean> {
    const { logger, worker } = this.#processing;
    const untilMs = performance.now() + SETTLING_MS;
    try {
      return await this.#settlerOf(queue).settleAllButDelete(message, outcome, worker.id, untilMs);
    } catch (error) {
      const { messageId } = message;
      logger.error({ queue, messageId, error }, 'message could not be settled; it comes back');
      return false;
    }
  }

  #settlerOf(queue: string): Settler {
    const { sqs, queueUrls } = this.#options;
    const settler = this.#settlers.get(queue) ?? new Settler(sqs, queueUrls, queue);
    this.#settlers.set(queue, settler);
    return settler;
  }
}
