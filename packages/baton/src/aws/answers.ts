// Tells answers of AWS from answers of broken proxies, and errors that may pass from others.
import type { Message } from '@aws-sdk/client-sqs';
import { isServerError, isThrottlingError, isTransientError } from '@smithy/core/retry';
import type { MiddlewareStack } from '@smithy/types';

const MAX_SHOWN_CHARACTERS = 200;
/** The names that the SDK gives an error whose answer has no name. */
const NAMELESS = new Set(['Unknown', 'UnknownError', 'Error']);

/**
 * An answer that is not from AWS: HTML, a truncated or empty body, a status without an AWS error. A proxy or load balancer
 * made it, so nobody knows what happened to the request. The same request may succeed later.
 */
export class BrokenAnswerError extends Error {
  override readonly name = 'BrokenAnswerError';
  /** Makes the AWS SDK retry the request. */
  readonly $retryable = {};

  constructor(call: string, why: string, options?: ErrorOptions) {
    super(`The answer to ${call} is not from AWS: ${why}`, options);
  }
}

/**
 * Returns what to throw for a request's error: the error itself if it is AWS's own, a connection failure or an abort.
 * Otherwise the answer could not be read, and it returns a BrokenAnswerError.
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
 * Checks an SQS answer with status 200.
 *
 * @throws BrokenAnswerError if it contains an error, or a message that can neither be run nor settled
 */
export function checkSqsAnswer(call: string, output: object): void {
  // `__type` is the name of an error in AWS's JSON protocols
  const { __type: type, Messages } = output as { __type?: string; Messages?: readonly Message[] };
  if (type !== undefined) throw new BrokenAnswerError(call, `status 200 with the error ${type}`);
  if (Messages?.some(({ MessageId, ReceiptHandle, Body }) => !MessageId || !ReceiptHandle || !Body))
    throw new BrokenAnswerError(call, 'a message has no id, no receipt handle or no body');
}

/** Makes a client throw BrokenAnswerError for answers that are not from AWS. Its own retries handle that error. */
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

/** The system calls of a connection. */
const SYSTEM_CALLS: ReadonlySet<unknown> = new Set(['connect', 'getaddrinfo', 'socket', 'read', 'write']);

/**
 * Whether the same call to AWS may succeed later: after a failed connection, a time-out, throttling or a server error. Uses
 * the AWS SDK's classification. That misses some connection failures, which are added: a process without free file
 * descriptors or ports, and a network that is down.
 */
export function isTransient(error: unknown): boolean {
  if (!Error.isError(error)) return false;
  const sdkError = error as Error & { cause?: Error };
  return (
    [isTransientError, isThrottlingError, isServerError].some((is) => is(sdkError)) ||
    isConnectionError(error)
  );
}

/** If all addresses of a host refuse, Node throws an AggregateError, whose inner errors the SDK does not look at. */
function isConnectionError(error: Error): boolean {
  if (error instanceof AggregateError) return error.errors.some((inner) => isTransient(inner));
  return SYSTEM_CALLS.has((error as NodeJS.ErrnoException).syscall);
}
