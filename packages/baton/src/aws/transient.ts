import { isServerError, isThrottlingError, isTransientError } from '@smithy/core/retry';

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
