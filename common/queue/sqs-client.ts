import { SQSClient } from '@aws-sdk/client-sqs';

const CONNECT_TIMEOUT_MS = 1000;
const ATTEMPTS = 3;

/** What a client of SQS waits for. */
export interface SqsClientOptions {
  /** How long one request may take, in milliseconds. Default 5,000; longer than the wait for one that polls. */
  readonly requestTimeoutMs?: number;
  /** How often a request is made at the most. Default 3; 1 for a caller with a backoff of its own. */
  readonly attempts?: number;
}

/**
 * Makes a client of SQS. Region, credentials and endpoint come from the environment, as the AWS SDK reads them
 * (`AWS_REGION`, `AWS_ENDPOINT_URL_SQS` and so on).
 */
export function createSqsClient({
  requestTimeoutMs = 5000,
  attempts = ATTEMPTS,
}: SqsClientOptions = {}): SQSClient {
  return new SQSClient({
    maxAttempts: attempts,
    // The endpoint of the environment must win over the host in a queue's URL, which an emulator makes up
    useQueueUrlAsEndpoint: false,
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: requestTimeoutMs,
      throwOnRequestTimeout: true,
    },
  });
}
