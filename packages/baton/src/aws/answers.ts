import type { Message } from '@aws-sdk/client-sqs';
import { isServerError, isThrottlingError, isTransientError } from '@smithy/core/retry';
import type { MiddlewareStack } from '@smithy/types';

const MAX_SHOWN_CHARACTERS = 200;
/** What the SDK calls an error whose answer names none. */
const NAMELESS = new Set(['Unknown', 'UnknownError', 'Error']);

/**
 * An answer that AWS does not give: HTML, a body that is cut short or empty, a status without AWS's own error. A proxy
 * or a load balancer has made it, so nobody knows what became of the request. It may succeed later.
 */
export class BrokenAnswerError extends Error {
  override readonly name = 'BrokenAnswerError';
  /** By this the AWS SDK knows what to try again. */
  readonly $retryable = {};

  constructor(call: string, why: string, options?: ErrorOptions) {
    super(`The answer to ${call} is not one of AWS: ${why}`, options);
  }
}

/**
 * What to throw for an error of a request: AWS's own errors, failures of the connection and aborts as they are. All else
 * is an answer that could not be read.
 */
export function readError(error: unknown, call: string): unknown {
  const { name, message, $fault, $metadata } = error as Error & {
    $fault?: string;
    $metadata?: { httpStatusCode?: number };
  };
  const isOfAws = $fault !== undefined && !NAMELESS.has(name);
  if (isOfAws || name === 'AbortError' || isTransient(error)) return error;
  const status = $metadata?.httpStatusCode === undefined ? '' : `status ${$metadata.httpStatusCode}, `;
  return new BrokenAnswerError(call, `${status}${message.slice(0, MAX_SHOWN_CHARACTERS)}`, { cause: error });
}

/**
 * Checks an answer of SQS with status 200.
 *
 * @throws BrokenAnswerError where it is an error in truth, and where it brings a message that could be neither run nor
 *   settled
 */
export function checkSqsAnswer(call: string, output: object): void {
  // In AWS's JSON protocols `__type` is the name of an error
  const { __type: type, Messages } = output as { __type?: string; Messages?: readonly Message[] };
  if (type !== undefined) throw new BrokenAnswerError(call, `status 200 with the error ${type}`);
  if (Messages?.some(({ MessageId, ReceiptHandle, Body }) => !MessageId || !ReceiptHandle || !Body))
    throw new BrokenAnswerError(call, 'a message has no id, no receipt handle or no body');
}

/** Has a client throw `BrokenAnswerError` for whatever is no answer of AWS, where its own retries see it. */
export function trustOnlyAws<Input extends object, Output extends object>(
  { middlewareStack }: { readonly middlewareStack: MiddlewareStack<Input, Output> },
  check: (call: string, output: object) => void,
): void {
  middlewareStack.add(
    (next, { commandName = '' }) =>
      async (args) => {
        const call = commandName.replace(/Command$/, '');
        try {
          const answer = await next(args);
          check(call, answer.output ?? {});
          return answer;
        } catch (error) {
          throw readError(error, call);
        }
      },
    { name: 'answerMiddleware', step: 'deserialize', priority: 'high' },
  );
}

/** What a request asks of the system before and while it is on its way. */
const SYSTEM_CALLS: ReadonlySet<unknown> = new Set(['connect', 'getaddrinfo', 'socket', 'read', 'write']);

/**
 * Whether the same call to AWS may succeed later: no connection, a time-out, throttling, a fault on AWS's side.
 * The classification is the AWS SDK's own, which knows few reasons for which a connection fails: not that this process
 * has no file descriptor or port left, or that the network is down.
 */
export function isTransient(error: unknown): boolean {
  if (!Error.isError(error)) return false;
  const sdkError = error as Error & { cause?: Error };
  return (
    [isTransientError, isThrottlingError, isServerError].some((is) => is(sdkError)) ||
    isConnectionError(error)
  );
}

/** A host with several addresses that all refuse gives an AggregateError, whose code the SDK does not look at. */
function isConnectionError(error: Error): boolean {
  if (error instanceof AggregateError) return error.errors.some((inner) => isTransient(inner));
  return SYSTEM_CALLS.has((error as NodeJS.ErrnoException).syscall);
}
