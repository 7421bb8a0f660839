// Refuses requests that web pages send to servers that let everybody call.
import type { IncomingMessage } from 'node:http';
import { Problem } from './problem.ts';

/** The names of this machine in a Host header. */
const OWN_NAMES = ['127.0.0.1', 'localhost', '[::1]'];

/**
 * The problem with a request that a web page may have caused. Undefined if it comes from a program or from a page of this
 * server.
 *
 * - Its Host must be this machine or an allowed name. Otherwise a page's own name could be made to point here (DNS rebinding).
 * - Its Origin, if it has one, must be the same as its Host.
 * - Its `Sec-Fetch-Site`, which browsers send, must not say that another site caused it (W3C: "Fetch Metadata Request
 *   Headers"). That holds for reads too, because SQS takes writes as GET.
 *
 * @param allowedHosts - other names of this machine, without ports
 */
export function webPageProblem(
  { headers }: Pick<IncomingMessage, 'headers'>,
  allowedHosts: readonly string[] = [],
): Problem | undefined {
  const { host = '', origin, 'sec-fetch-site': site = 'none' } = headers;
  const names = [...OWN_NAMES, ...allowedHosts];
  if (!names.includes(host.replace(/:\d{1,5}$/, '').toLowerCase()))
    return problem(
      'misdirected-request',
      `The Host ${shown(host)} is not this machine: expected ${names.join(', ')}. ALLOWED_HOSTS adds names.`,
    );
  if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`)
    return problem(
      'foreign-page',
      `A page of the origin ${shown(origin)} may not send requests here: expected http://${host}.`,
    );
  if (site !== 'none' && site !== 'same-origin')
    return problem(
      'foreign-page',
      `A page of another site may not send requests here: expected http://${host}.`,
    );
  return undefined;
}

/** Lets a request pass, unless a web page may have caused it. Without names it looks at nothing. @throws Problem */
export function checkWebPage(request: IncomingMessage, allowedHosts: readonly string[] | undefined): void {
  const found = allowedHosts && webPageProblem(request, allowedHosts);
  if (found) throw found;
}

/** Closes the connection: a body may still be on its way. */
function problem(kind: 'misdirected-request' | 'foreign-page', detail: string): Problem {
  return new Problem(kind, { detail, headers: { connection: 'close' } });
}

function shown(text: string): string {
  return text === '' ? '""' : text.slice(0, 200);
}
