import { isServerError, isThrottlingError, isTransientError } from '@smithy/core/retry';

/**
 * Whether the same call to AWS may succeed later: no connection, a time-out, throttling, a fault on AWS's side.
 * The classification is the AWS SDK's own.
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
  return error instanceof AggregateError && error.errors.some((inner) => isTransient(inner));
}
