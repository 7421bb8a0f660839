import { SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs';
import { leanSettings, leaveOutNeedless } from './lean-client.ts';

const CONNECT_TIMEOUT_MS = 1000;
const ATTEMPTS = 3;

/** What a client of SQS waits for, and by what. */
export interface SqsClientOptions {
  /** How long one request may take, in milliseconds. Default 5,000; longer than the wait for one that polls. */
  readonly requestTimeoutMs?: number;
  /** How often a request is made at the most. Default 3; 1 for a caller with a backoff of its own. */
  readonly attempts?: number;
  /** What makes the requests, with time-outs of its own. Default: Node's own HTTP client. */
  readonly requestHandler?: SQSClientConfig['requestHandler'];
}

/**
 * Makes a client of SQS. Region, credentials and endpoint come from the environment, as the AWS SDK reads them
 * (`AWS_REGION`, `AWS_ENDPOINT_URL_SQS` and so on).
 *
 * Its settings leave out what the SDK would do anew for each request: docs/performance.md has what each of them saves.
 */
export function createSqsClient({
  requestTimeoutMs = 5000,
  attempts = ATTEMPTS,
  requestHandler = {
    connectionTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: requestTimeoutMs,
    throwOnRequestTimeout: true,
  },
}: SqsClientOptions = {}): SQSClient {
  const sqs = new SQSClient({
    ...leanSettings,
    maxAttempts: attempts,
    // The endpoint of the environment must win over the host in a queue's URL, which an emulator makes up
    useQueueUrlAsEndpoint: false,
    requestHandler,
    // One chain of middleware for all requests of a kind
    cacheMiddleware: true,
    // TLS keeps what travels whole, and the envelope is checked as it is
    md5: false,
  });
  leaveOutNeedless(sqs);
  return sqs;
}
