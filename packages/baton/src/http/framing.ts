// Where the body of a request ends. Refuses what a proxy in front may read in another way than Node, which reads more.
import type { IncomingMessage } from 'node:http';
import { Problem } from './problem.ts';

/**
 * @throws Problem 400 if a request of HTTP/1.0 has a `transfer-encoding` (RFC 9112, section 6.1), or one of HTTP/1.1 has
 *   another one than `chunked`: no server here takes off a second encoding
 */
export function checkFraming({ headers, httpVersion }: IncomingMessage): void {
  const encoding = headers['transfer-encoding'];
  if (encoding === undefined) return;
  if (httpVersion === '1.0') throw refused('HTTP/1.0 has no transfer-encoding; expected content-length.');
  if (encoding.toLowerCase() !== 'chunked') throw refused('Expected the transfer-encoding "chunked".');
}

function refused(detail: string): Problem {
  return new Problem('malformed-request', { detail, headers: { connection: 'close' } });
}
