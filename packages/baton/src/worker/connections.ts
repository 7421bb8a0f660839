// A worker's clients of AWS.
import { LambdaClient } from '@aws-sdk/client-lambda';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { createSqsClient, type Transport } from '../sqs/sqs-client.ts';
import { createDocumentClient } from '../aws/documents.ts';
import { UndiciHttpHandler } from '@smithy/undici-http-handler';
import { withToken } from '../http/functions-token.ts';
import type { WorkerConfig } from './config.ts';

const CONNECT_TIMEOUT_MS = 1000;
const REQUEST_MARGIN_MS = 5000;
/** How many requests fit into a lease. A request that hangs must leave time for another renewal. */
const REQUESTS_A_LEASE = 6;
const MIN_REQUEST_MS = 500;
const MAX_REQUEST_MS = 5000;
/** A function may take 15 minutes (AWS, "Lambda quotas"). */
const LAMBDA_TIMEOUTS = { connectionTimeout: 1000, requestTimeout: 905_000, throwOnRequestTimeout: true };

/** A worker's clients of AWS. */
export interface Connections {
  /** Makes only polls, which hold connections while they wait. The receiver retries them. */
  readonly receiving: SQSClient;
  /** Renews leases and settles outcomes. Its users retry for as long as a lease lasts. */
  readonly settling: SQSClient;
  /** Sends the tasks of handlers and schedules. */
  readonly sending: SQSClient;
  readonly lambda: LambdaClient;
  /** Reads and writes the task store. */
  readonly documents: DynamoDBDocumentClient;
}

/** Makes a worker's clients. The AWS SDK reads endpoints and credentials from the environment. */
export function connect({
  waitSeconds,
  leaseSeconds,
  functionsToken,
}: Pick<WorkerConfig, 'waitSeconds' | 'leaseSeconds' | 'functionsToken'>): Connections {
  const leasePartMs = (leaseSeconds * 1000) / REQUESTS_A_LEASE;
  const settlingMs = Math.min(MAX_REQUEST_MS, Math.max(MIN_REQUEST_MS, leasePartMs));
  const lambda = new LambdaClient({ maxAttempts: 1, requestHandler: LAMBDA_TIMEOUTS });
  return {
    receiving: createSqsClient({ transport: byUndici(waitSeconds * 1000 + REQUEST_MARGIN_MS), attempts: 1 }),
    settling: createSqsClient({ transport: byUndici(settlingMs), attempts: 1 }),
    sending: createSqsClient({ transport: byUndici(MAX_REQUEST_MS) }),
    lambda: functionsToken === undefined ? lambda : withToken(lambda, functionsToken),
    documents: createDocumentClient(),
  };
}

/** Makes requests with undici, which uses two thirds of the CPU of Node's own client. It is too large for a function's bundle. */
function byUndici(requestTimeoutMs: number): Transport {
  // It accepts only whole milliseconds
  const limitMs = Math.round(requestTimeoutMs);
  const dispatcher = {
    connect: { timeout: CONNECT_TIMEOUT_MS },
    headersTimeout: limitMs,
    bodyTimeout: limitMs,
  };
  return {
    requestHandler: new UndiciHttpHandler({ dispatcher }),
    // Reads the body at once. The SDK would pipe it through a stream
    streamCollector: (body: { bytes(): Promise<Uint8Array> }) => body.bytes(),
  };
}

/** Closes a worker's clients, even if requests are under way. */
export function disconnect({ receiving, settling, sending, lambda, documents }: Connections): void {
  for (const client of [receiving, settling, sending, lambda, documents]) client.destroy();
}
