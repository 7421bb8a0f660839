import type { SQSClient } from '@aws-sdk/client-sqs';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
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

/** Kept free at the end of an invocation, in milliseconds: to end handlers, to write outcomes down, to settle and to answer. */
const SETTLE_RESERVE_MS = 2500;
/** SQS counts its 12 h from a receive that a function does not know the time of: some minutes, and its own 15, before. */
const LONGEST_REST_SECONDS = MAX_VISIBILITY_SECONDS - 1800;
/** How long settling is tried again within that. */
const SETTLING_MS = 1500;
/** No record is begun with less time than this left to run it in, in milliseconds. */
const SHORTEST_RUN_MS = 500;
/** A handler that ignores its signal must not cost the whole batch its answer. */
const ABORT_GRACE_SECONDS = 0.5;
const DEFAULT_PATIENCE_SECONDS = 21_600;
const DEFAULT_CONCURRENCY = 10;

/** A function's invocation is nearly over, with no more time for a record. */
export class InvocationEndsError extends TaskError {
  override readonly name = 'InvocationEndsError';

  constructor() {
    super('The invocation is nearly over');
  }
}

/** What a function consumes queues with. */
export interface LambdaConsumerOptions extends Omit<
  Processing,
  'unknownTaskPatienceSeconds' | 'abortGraceSeconds'
> {
  readonly sqs: SQSClient;
  readonly queueUrls: QueueUrls;
  /** How long an unknown task is put back, in seconds since it was sent. Default 21,600 (6 h). */
  readonly unknownTaskPatienceSeconds?: number;
  /** How many records of a batch run at one time. Default 10. */
  readonly concurrency?: number;
}

/** A record that an outcome is known of. */
interface Attempted {
  readonly queue: string;
  readonly message: ReceivedMessage;
  readonly outcome: Outcome;
}

/** What the records of one batch share. */
interface Invocation {
  /** Aborts when the invocation has no more time. */
  readonly end: AbortSignal;
  readonly runnableMs: () => number;
  /** By which a suspect runs by itself. */
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

  async runAlone(givenUp: AbortSignal): Promise<boolean> {
    this.#turn = await this.#exclusive.turn(givenUp);
    return this.#turn.alone;
  }

  decided(): void {
    this.#turn?.over();
    this.#exclusive.end();
  }

  /** The invocation answers without it. */
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
 * The records of a batch run side by side, ten at a time; one that may have been what an earlier invocation died of runs
 * by itself. They are settled once all have run, all but the delete,
 * which is the event source's. What is to come back is reported failed, and so is whatever could not be settled. When
 * the invocation's time grows short, no more records are begun and those that run are aborted; all of them are shown
 * again at once and reported failed.
 *
 * From now on, an error that nothing caught fails the record whose handler left it, and so does a handler's attempt to
 * end the process. An error that belongs to no record is for the runtime, as always.
 *
 * @throws TypeError when a tracked task is implemented and there is no tracker
 */
export function createLambdaConsumer(options: LambdaConsumerOptions): LambdaConsumer {
  const { sqs, queueUrls, concurrency = DEFAULT_CONCURRENCY, implementations, tracker } = options;
  if (!tracker && implementations.tracked.length > 0)
    throw new TypeError(
      `${implementations.tracked.join(', ')} cannot be run without a task store as "tracker"`,
    );
  watchFunctions(options.logger);
  const clock = ClockWatch.of(sqs);
  clock.reportTo(options.logger);
  const processing = {
    now: () => clock.nowMs,
    unknownTaskPatienceSeconds: DEFAULT_PATIENCE_SECONDS,
    abortGraceSeconds: ABORT_GRACE_SECONDS,
    ...options,
  };
  const settlers = new Map<string, Settler>();
  const settlerOf = (queue: string): Settler => {
    const settler = settlers.get(queue) ?? new Settler(sqs, queueUrls, queue);
    settlers.set(queue, settler);
    return settler;
  };

  const attempt = async (
    record: SQSRecord,
    { end, runnableMs, exclusive }: Invocation,
  ): Promise<Attempted> => {
    const queue = queueUrls.nameFromArn(record.eventSourceARN);
    const message = fromRecord(record);
    const mayBegin = !exclusive.closed || (await exclusive.opened(runnableMs(), end));
    if (!mayBegin || runnableMs() < SHORTEST_RUN_MS)
      return { queue, message, outcome: { kind: 'release', error: new InvocationEndsError() } };
    const host = new RecordHost(end, exclusive);
    const outcome = await processMessage(message, queue, host, processing).finally(() => host.decided());
    return { queue, message, outcome: restingAtMost(outcome, LONGEST_REST_SECONDS) };
  };

  const settle = async ({ queue, message, outcome }: Attempted): Promise<boolean> => {
    const untilMs = performance.now() + SETTLING_MS;
    try {
      return await settlerOf(queue).settleAllButDelete(message, outcome, processing.worker.id, untilMs);
    } catch (error) {
      const { messageId } = message;
      processing.logger.error({ queue, messageId, error }, 'message could not be settled; it comes back');
      return false;
    }
  };

  return async ({ Records }, context) => {
    const runnableMs = (): number => context.getRemainingTimeInMillis() - SETTLE_RESERVE_MS;
    const end = new AbortController();
    const timer = setTimeout(() => end.abort(new InvocationEndsError()), Math.max(0, runnableMs()));
    const invocation = { end: end.signal, runnableMs, exclusive: new ExclusiveRuns() };
    const attempts = await new Permits(concurrency)
      .map(Records, (record) =>
        attempt(record, invocation).catch((error: unknown) => {
          // What is wrong with one record is no reason to run the whole batch again
          processing.logger.error(
            { messageId: record.messageId, error },
            'record could not be run; it comes back',
          );
          return undefined;
        }),
      )
      .finally(() => clearTimeout(timer));
    // Only now: whoever invoked this function may renew the leases of the whole batch until it answers
    const finished = await Promise.all(attempts.map(async (each) => each !== undefined && settle(each)));
    const failed = Records.filter((_, index) => !finished[index]);
    return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
  };
}
