import { SQSClient } from '@aws-sdk/client-sqs';
import { UndiciHttpHandler } from '@smithy/undici-http-handler';
import { settings } from '../protocol.ts';

/**
 * The client that every rival in Node gets, the fastest that the AWS SDK has: so that they differ by what they do with
 * it alone. Region, credentials and endpoint come from the environment.
 */
export function sqsClient(): SQSClient {
  return new SQSClient({
    // Takes about a quarter off the CPU of each call, against the SDK's own choice
    requestHandler: new UndiciHttpHandler(),
    // Bodies are not checked against their digests: TCP has checked them, and TLS where it matters
    md5: false,
  });
}

/** How a queue is polled. */
export interface Receives {
  /** Under way at one time. */
  readonly count: number;
  /** Messages that each asks for, 1 to 10: `MaxNumberOfMessages`. */
  readonly size: number;
}

/**
 * Spreads the tasks that may run at one time over a queue's receives. A program that waits for all messages of a receive
 * before it asks again is fastest with tens where tasks take no time, and with ones (BENCH_RECEIVE=1) where one of them
 * may hold up nine.
 */
export function receivesOfQueue(): Receives {
  const most = Number(process.env['BENCH_RECEIVE'] ?? 10);
  const tasks = Math.max(1, Math.floor(settings.concurrency / settings.queueUrls.length));
  const count = Math.ceil(tasks / most);
  return { count, size: Math.min(most, Math.floor(tasks / count)) };
}
