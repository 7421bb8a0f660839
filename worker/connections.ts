import { LambdaClient } from '@aws-sdk/client-lambda';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { createSqsClient } from '@baton/common/queue/sqs-client';
import { createDocumentClient } from '@baton/common/state/documents';
import { UndiciHttpHandler } from '@smithy/undici-http-handler';
import type { WorkerConfig } from './config.ts';

const CONNECT_TIMEOUT_MS = 1000;
const REQUEST_MARGIN_MS = 5000;
/** A request that hangs must leave time to renew a lease by another. */
const REQUESTS_A_LEASE = 6;
const MIN_REQUEST_MS = 500;
const MAX_REQUEST_MS = 5000;
/** A function may take 15 minutes (AWS: "Lambda quotas"). */
const LAMBDA_TIMEOUTS = { connectionTimeout: 1000, requestTimeout: 905_000, throwOnRequestTimeout: true };

/** A worker's clients of AWS. */
export interface Connections {
  /** For polls alone: they hold connections for as long as they wait, and back off by themselves. */
  readonly receiving: SQSClient;
  /** For leases, settling and sending. */
  readonly settling: SQSClient;
  readonly lambda: LambdaClient;
  /** For the task store. */
  readonly documents: DynamoDBDocumentClient;
}

/** Makes a worker's clients. Endpoints and credentials come from the environment, as the AWS SDK reads them. */
export function connect({
  waitSeconds,
  leaseSeconds,
}: Pick<WorkerConfig, 'waitSeconds' | 'leaseSeconds'>): Connections {
  const leasePartMs = (leaseSeconds * 1000) / REQUESTS_A_LEASE;
  const settlingMs = Math.min(MAX_REQUEST_MS, Math.max(MIN_REQUEST_MS, leasePartMs));
  return {
    receiving: createSqsClient({
      requestHandler: quickHandler(waitSeconds * 1000 + REQUEST_MARGIN_MS),
      attempts: 1,
    }),
    settling: createSqsClient({ requestHandler: quickHandler(settlingMs) }),
    lambda: new LambdaClient({ maxAttempts: 1, requestHandler: LAMBDA_TIMEOUTS }),
    documents: createDocumentClient(),
  };
}

/** Makes requests by undici, for two thirds of the CPU of Node's own client; too large for a function's bundle. */
function quickHandler(requestTimeoutMs: number): UndiciHttpHandler {
  // It takes whole milliseconds alone
  const limitMs = Math.round(requestTimeoutMs);
  const dispatcher = {
    connect: { timeout: CONNECT_TIMEOUT_MS },
    headersTimeout: limitMs,
    bodyTimeout: limitMs,
  };
  return new UndiciHttpHandler({ dispatcher });
}

/** Closes a worker's clients, whatever they still wait for. */
export function disconnect({ receiving, settling, lambda, documents }: Connections): void {
  for (const client of [receiving, settling, lambda, documents]) client.destroy();
}
