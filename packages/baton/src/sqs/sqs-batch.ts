import { setTimeout as sleep } from 'node:timers/promises';
import { equalJitter, longestRest } from '../time/backoff.ts';

const DEFAULT_ATTEMPTS = 4;
const REST_MS = { base: 50, cap: Infinity } as const;

/** One entry that SQS refused while it took others of the same batch (BatchResultErrorEntry in its API). */
export class BatchEntryError extends Error {
  override readonly name = 'BatchEntryError';
  /** SQS's code, such as `InternalError` or `ReceiptHandleIsInvalid`. */
  readonly code: string;
  /** True where the entry is at fault: the same one will be refused again. */
  readonly senderFault: boolean;

  constructor(code: string, message: string | undefined, senderFault: boolean) {
    // AWS and its emulators put the same codes behind different namespaces: AWS.SimpleQueueService., com.amazonaws.sqs#
    const bare = code.slice(Math.max(code.lastIndexOf('.'), code.lastIndexOf('#')) + 1);
    super(message ? `${bare}: ${message}` : bare);
    this.code = bare;
    this.senderFault = senderFault;
  }
}

/** What SendMessageBatch, DeleteMessageBatch and ChangeMessageVisibilityBatch answer alike. */
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

/** How often entries that fail through no fault of their own are sent again. */
export interface BatchRetries {
  /** Calls in all for one entry. Default 4, with 50, 100 and 200 ms between them, of which up to a half is chance. */
  readonly attempts?: number;
}

/**
 * Makes one batch call to SQS and tells what became of each entry. Entries that SQS failed through no fault of
 * their own are sent again, alone with their like. A failure of a whole call is the SDK's to retry; when it has given
 * up, the entries of that call are rejected with its error.
 *
 * @param entries - without their Id, which this function gives them
 * @param call - makes the call with the entries' Ids filled in
 */
export async function callInBatch<Entry extends object, Success extends object>(
  entries: readonly Entry[],
  call: (entries: (Entry & { Id: string })[]) => Promise<BatchAnswer<Success>>,
  { attempts = DEFAULT_ATTEMPTS }: BatchRetries = {},
): Promise<PromiseSettledResult<Success>[]> {
  const results = new Map<string, PromiseSettledResult<Success>>();
  let left = entries.map((entry, index) => ({ ...entry, Id: String(index) }));
  for (let attempt = 1; left.length > 0; attempt += 1) {
    for (const [id, result] of await callOnce(left, call)) results.set(id, result);
    if (attempt >= attempts) break;
    left = left.filter(({ Id }) => mayYetSucceed(results.get(Id)));
    if (left.length > 0) await sleep(equalJitter(longestRest(REST_MS, attempt - 1)));
  }
  return entries.map(
    (_, index) => results.get(String(index)) ?? { status: 'rejected', reason: unanswered() },
  );
}

/** What became of the entries of one call that it says anything of. */
async function callOnce<Entry extends { readonly Id: string }, Success extends object>(
  entries: Entry[],
  call: (entries: Entry[]) => Promise<BatchAnswer<Success>>,
): Promise<[string, PromiseSettledResult<Success>][]> {
  try {
    const { Successful, Failed } = await call(entries);
    return [
      ...listOf(Successful).map((value): [string, PromiseSettledResult<Success>] => [
        value.Id ?? '',
        { status: 'fulfilled', value },
      ]),
      ...listOf(Failed).map((failure): [string, PromiseRejectedResult] => [
        failure.Id ?? '',
        { status: 'rejected', reason: entryError(failure) },
      ]),
    ];
  } catch (reason) {
    return entries.map(({ Id }) => [Id, { status: 'rejected', reason }]);
  }
}

/** What an answer lists, which may be anything where it is not SQS's. */
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
  return new BatchEntryError('NoAnswer', 'SQS named the entry neither as taken nor as failed', false);
}
