// Makes clients of SQS.
import { SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs';
import { checkSqsAnswer, trustOnlyAws } from '../aws/answers.ts';
import { requestDirectly } from './direct-requests.ts';
import { leanSettings, leaveOutNeedless, USER_AGENT } from '../aws/lean-client.ts';

const CONNECT_TIMEOUT_MS = 1000;
const ATTEMPTS = 3;

/** Makes a client's requests, and reads the bodies of the answers. */
export type Transport = Pick<SQSClientConfig, 'requestHandler' | 'streamCollector'>;

/** Configures a client of SQS. */
export interface SqsClientOptions {
  /** How long one request may take, in milliseconds. Default 5,000. Must be longer than the wait of a poll. */
  readonly requestTimeoutMs?: number;
  /** How many times a request is made at most. Default 3. Use 1 if the caller retries. */
  readonly attempts?: number;
  /** Has its own time-outs. Default: Node's own HTTP client. */
  readonly transport?: Transport;
}

/**
 * Makes a client of SQS. Region, credentials and endpoint come from the environment, as the AWS SDK reads them
 * (`AWS_REGION`, `AWS_ENDPOINT_URL_SQS` and so on).
 *
 * Its settings skip work that the SDK would repeat for each request. docs/performance.md shows what each of them saves.
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
    // The endpoint of the environment replaces the host in a queue's URL, which an emulator invents
    useQueueUrlAsEndpoint: false,
    // One chain of middlewares for all requests of a kind
    cacheMiddleware: true,
    // TLS protects the content already
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
