// The batch calls of SQS, in which some entries may fail while others succeed.
import { TaskError } from '../task/errors.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { equalJitter, longestRest } from '../time/backoff.ts';

const DEFAULT_ATTEMPTS = 4;
const REST_MS = { base: 50, cap: Infinity } as const;

/** SQS refused one entry of a batch, and accepted others (BatchResultErrorEntry in its API). */
export class BatchEntryError extends TaskError {
  override readonly name = 'BatchEntryError';
  /** SQS's code, such as `InternalError` or `ReceiptHandleIsInvalid`. */
  readonly code: string;
  /** Whether the entry is at fault: SQS will refuse the same entry again. */
  readonly senderFault: boolean;

  constructor(code: string, message: string | undefined, senderFault: boolean) {
    // AWS and its emulators put the same codes behind different namespaces: AWS.SimpleQueueService., com.amazonaws.sqs#
    const bare = code.slice(Math.max(code.lastIndexOf('.'), code.lastIndexOf('#')) + 1);
    super(message ? `${bare}: ${message}` : bare);
    this.code = bare;
    this.senderFault = senderFault;
  }
}

/** Whether SQS may accept an entry later that failed with this error. */
export function mayRecover(error: unknown): boolean {
  return !(error instanceof BatchEntryError && error.senderFault);
}

/** The common part of the answers of SendMessageBatch, DeleteMessageBatch and ChangeMessageVisibilityBatch. */
export interface BatchAnswer<Success> {
  readonly Successful?: readonly (Success & { readonly Id?: string | undefined })[] | undefined;
  readonly Failed?: readonly FailedEntry[] | undefined;
}

interface FailedEntry {
  readonly Id: string | undefined;
  readonly Code: string | undefined;
  readonly Message?: string | undefined;
  readonly SenderFault: boolean | undefined;
}

/** Configures the retries of entries that are not at fault. */
export interface BatchRetries {
  /** The most calls for one entry. Default 4, with rests of at most 50, 100 and 200 ms, half of each at random. */
  readonly attempts?: number;
}

/** Makes one call of SQS, with an Id in each entry. */
export type SqsBatchCall<Entry, Success> = (
  entries: (Entry & { Id: string })[],
) => Promise<BatchAnswer<Success>>;

type Results<Success> = Map<string, PromiseSettledResult<Success>>;

/**
 * Makes a batch call of SQS. Resolves to the result of each entry, as `Promise.allSettled` does. Entries that failed
 * without being at fault are retried, without the others. If a whole call fails, its entries are rejected with that error,
 * because the SDK has retried it already.
 *
 * @param entries - without their Id, which this function adds
 */
export function callInBatch<Entry extends object, Success extends object>(
  entries: readonly Entry[],
  call: SqsBatchCall<Entry, Success>,
  retries: BatchRetries = {},
): Promise<PromiseSettledResult<Success>[]> {
  return inBatches(call, retries)(entries);
}

/** Makes a function for a `Batcher` that carries a batch out as `callInBatch` does. */
export function inBatches<Entry extends object, Success extends object>(
  call: SqsBatchCall<Entry, Success>,
  { attempts = DEFAULT_ATTEMPTS }: BatchRetries = {},
) {
  return async function runBatch(entries: readonly Entry[]): Promise<PromiseSettledResult<Success>[]> {
    const results: Results<Success> = new Map();
    let left = entries.map((entry, index) => ({ ...entry, Id: String(index) }));
    for (let attempt = 1; left.length > 0; attempt += 1) {
      try {
        addResults(results, await call(left));
      } catch (reason) {
        for (const { Id } of left) results.set(Id, { status: 'rejected', reason });
      }
      if (attempt >= attempts) break;
      left = left.filter(({ Id }) => mayYetSucceed(results.get(Id)));
      if (left.length > 0) await sleep(equalJitter(longestRest(REST_MS, attempt - 1)));
    }
    return entries.map(
      (_, index) => results.get(String(index)) ?? { status: 'rejected', reason: unanswered() },
    );
  };
}

function addResults<Success>(results: Results<Success>, { Successful, Failed }: BatchAnswer<Success>): void {
  for (const value of listOf(Successful)) results.set(value.Id ?? '', { status: 'fulfilled', value });
  for (const failure of listOf(Failed))
    results.set(failure.Id ?? '', { status: 'rejected', reason: entryError(failure) });
}

/** A list in an answer, which may be anything if the answer does not come from SQS. */
function listOf<Item>(list: readonly Item[] | undefined): readonly Item[] {
  return Array.isArray(list)
    ? list.filter((item: Item | undefined) => item !== undefined && item !== null)
    : [];
}

function mayYetSucceed(result: PromiseSettledResult<unknown> | undefined): boolean {
  if (result === undefined) return true;
  return (
    result.status === 'rejected' && result.reason instanceof BatchEntryError && !result.reason.senderFault
  );
}

function entryError({ Code, Message, SenderFault }: FailedEntry): BatchEntryError {
  return new BatchEntryError(Code ?? 'Unknown', Message, SenderFault ?? false);
}

function unanswered(): BatchEntryError {
  return new BatchEntryError('NoAnswer', 'the answer of SQS does not name the entry', false);
}
