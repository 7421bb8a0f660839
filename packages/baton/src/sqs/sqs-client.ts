import { SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs';
import { checkSqsAnswer, trustOnlyAws } from '../aws/answers.ts';
import { requestDirectly } from './direct-requests.ts';
import { leanSettings, leaveOutNeedless, USER_AGENT } from '../aws/lean-client.ts';

const CONNECT_TIMEOUT_MS = 1000;
const ATTEMPTS = 3;

/** What makes a client's requests, and reads the answers' bodies. */
export type Transport = Pick<SQSClientConfig, 'requestHandler' | 'streamCollector'>;

/** What a client of SQS waits for, and by what. */
export interface SqsClientOptions {
  /** How long one request may take, in milliseconds. Default 5,000; longer than the wait for one that polls. */
  readonly requestTimeoutMs?: number;
  /** How often a request is made at the most. Default 3; 1 for a caller that tries again by itself. */
  readonly attempts?: number;
  /** With time-outs of its own. Default: Node's own HTTP client. */
  readonly transport?: Transport;
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
  transport = byNode(requestTimeoutMs),
}: SqsClientOptions = {}): SQSClient {
  const sqs = new SQSClient({
    ...leanSettings,
    ...transport,
    maxAttempts: attempts,
    // The endpoint of the environment must win over the host in a queue's URL, which an emulator makes up
    useQueueUrlAsEndpoint: false,
    // One chain of middleware for all requests of a kind
    cacheMiddleware: true,
    // TLS keeps what travels whole, and the envelope is checked as it is
    md5: false,
  });
  leaveOutNeedless(sqs);
  trustOnlyAws(sqs, checkSqsAnswer);
  if (attempts === 1) requestDirectly(sqs, USER_AGENT);
  return sqs;
}

function byNode(requestTimeout: number): Transport {
  const connectionTimeout = CONNECT_TIMEOUT_MS;
  return { requestHandler: { connectionTimeout, requestTimeout, throwOnRequestTimeout: true } };
}
