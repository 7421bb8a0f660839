// The secret that opens a server of functions, on both sides.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { HttpRequest } from '@smithy/core/protocols';

/** The header with the secret. The worker adds it to Lambda's Invoke, and the gateway passes it on. */
export const FUNCTIONS_TOKEN_HEADER = 'x-functions-token';

/** Whether a request carries the secret. Takes the same time for every wrong one. */
export function hasToken({ headers }: IncomingMessage, token: string): boolean {
  const given = headers[FUNCTIONS_TOKEN_HEADER];
  return timingSafeEqual(digestOf(String(given ?? '')), digestOf(token)) && given !== undefined;
}

/** Adds the secret to each request of a client. Only servers that stand in for Lambda in containers want one. */
export function withToken(lambda: LambdaClient, token: string): LambdaClient {
  lambda.middlewareStack.add(
    (next) => (args) => {
      (args.request as HttpRequest).headers[FUNCTIONS_TOKEN_HEADER] = token;
      return next(args);
    },
    { step: 'build', name: 'functionsToken' },
  );
  return lambda;
}

/** Digests have the same length, which the comparison needs. */
function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
