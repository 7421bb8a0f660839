// What a request is for: its Host and its target, made the same in all their forms. Refuses what has too many parts.
import type { IncomingMessage } from 'node:http';
import { Problem } from './problem.ts';

/** The form of a target that names the host too (RFC 9112, section 3.2.2). */
const ABSOLUTE = /^https?:\/\/([^/?#]*)([/?#].*)?$/is;
/** How many headers, or parameters of its query, a request has at most. Each is handled several times before its token is. */
export const MAX_PARTS = 100;

/**
 * Makes the target of a request a path. The host of an absolute target replaces the Host header (RFC 9112, section 3.2.2).
 *
 * @throws Problem 400 if the request has two Host headers or, in HTTP/1.1, none (section 3.2), or a target that is neither
 *   a path nor a URL: a proxy in front may have taken the other one for its decision. Also if it has more than 100 headers, or
 *   more than 100 parameters in its query
 */
export function normalizeTarget(request: IncomingMessage): void {
  checkParts('headers', request.rawHeaders.length / 2);
  checkParts('parameters in its query', (request.url ?? '').split('&', MAX_PARTS + 1).length);
  const hosts = request.rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host');
  if (hosts.length > 1 || (hosts.length === 0 && request.httpVersion === '1.1'))
    throw malformed(`The request has ${hosts.length} Host headers; expected one.`);
  const target = request.url ?? '';
  if (target.startsWith('/') || target === '*') return;
  const [, host = '', path = ''] = ABSOLUTE.exec(target) ?? [];
  if (host === '' || host.includes('@'))
    throw malformed('The target of the request is invalid; expected a path, or a URL of http or https.');
  request.headers.host = host;
  request.url = path.startsWith('/') ? path : `/${path}`;
}

function checkParts(what: string, count: number): void {
  if (count > MAX_PARTS) throw malformed(`The request has more than ${MAX_PARTS} ${what}; expected fewer.`);
}

function malformed(detail: string): Problem {
  return new Problem('malformed-request', { detail, headers: { connection: 'close' } });
}
