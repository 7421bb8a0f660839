// Refuses requests that web pages send to the servers of this process.
import { type IncomingMessage, Server, ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/** The names of this machine in a Host header. */
const OWN_NAMES = ['127.0.0.1', 'localhost', '[::1]'];
/** The events with which Node's HTTP server hands out a request and its answer. */
const WITH_ANSWER = ['request', 'checkContinue', 'checkExpectation'];
/** The events with which it hands out a request and its connection. */
const WITH_SOCKET = ['upgrade', 'connect'];

/** Why a request is refused. */
export interface Refusal {
  readonly status: 403 | 421;
  readonly detail: string;
}

/**
 * The refusal of a request that a web page may have caused. Undefined if it comes from a program or from a page of this
 * server.
 *
 * - Its Host must be this machine or an allowed name. Otherwise a page's own name could be made to point here (DNS rebinding).
 * - Its Origin, if it has one, must be the same as its Host.
 * - Its `Sec-Fetch-Site`, which browsers send, must not say that another site caused it (W3C: "Fetch Metadata Request
 *   Headers"). That holds for reads too, because SQS takes writes as GET.
 *
 * @param allowedHosts - other names of this machine, without ports
 */
export function refusalOf(
  { headers }: Pick<IncomingMessage, 'headers'>,
  allowedHosts: readonly string[] = [],
): Refusal | undefined {
  const { host = '', origin, 'sec-fetch-site': site = 'none' } = headers;
  const names = [...OWN_NAMES, ...allowedHosts];
  if (!names.includes(host.replace(/:\d{1,5}$/, '').toLowerCase()))
    return {
      status: 421,
      detail: `The Host ${shown(host)} is not this machine: expected ${names.join(', ')}. ALLOWED_HOSTS adds names.`,
    };
  if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`)
    return {
      status: 403,
      detail: `A page of the origin ${shown(origin)} may not send requests here: expected http://${host}.`,
    };
  if (site !== 'none' && site !== 'same-origin')
    return {
      status: 403,
      detail: `A page of another site may not send requests here: expected http://${host}.`,
    };
  return undefined;
}

/**
 * Makes every HTTP server of this process refuse requests of web pages, those of serverless-offline and the emulators too.
 * They listen at loopback, where any page in the developer's browser reaches them.
 *
 * @param allowedHosts - other names of this machine, without ports
 */
export function refuseWebPages(allowedHosts: readonly string[]): void {
  const emit = Reflect.get(Server.prototype, 'emit') as (...args: unknown[]) => boolean;
  Server.prototype.emit = function (this: Server, event: string | symbol, ...args: unknown[]): boolean {
    const guarded = [...WITH_ANSWER, ...WITH_SOCKET].includes(String(event));
    const refusal = guarded ? refusalOf(args[0] as IncomingMessage, allowedHosts) : undefined;
    if (!refusal) return Reflect.apply(emit, this, [event, ...args]);
    if (args[1] instanceof ServerResponse) refuse(args[1], refusal);
    else (args[1] as Duplex).destroy();
    return true;
  };
}

/** Answers with problem+json (RFC 9457), and closes the connection: a body may still be on its way. */
function refuse(response: ServerResponse, { status, detail }: Refusal): void {
  const body = JSON.stringify({ type: 'about:blank', title: STATUS_CODES[status], status, detail });
  response.writeHead(status, {
    'content-type': 'application/problem+json',
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  });
  response.end(body);
}

function shown(text: string): string {
  return text === '' ? '""' : text.slice(0, 200);
}
