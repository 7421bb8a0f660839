// Forwards requests to services.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { createProxyServer } from 'httpxy';

/** Headers that apply to one connection only (RFC 9110, section 7.6.1), and `expect`, which the gateway answers. */
const OF_ONE_CONNECTION = [
  'connection',
  'expect',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'upgrade',
];
/**
 * Headers that say what a request is for and where its body ends. A caller must not declare them as connection headers: that
 * allows request smuggling.
 */
const OF_THE_REQUEST: ReadonlySet<string> = new Set(['content-length', 'host', 'transfer-encoding']);
/** How long a connection may take to open. At the address of a removed container nothing refuses it. */
const CONNECT_TIMEOUT_MS = 3000;

/** A service did not answer: it does not listen, it closed the connection, or it took too long. */
export class ServiceAwayError extends Error {
  override readonly name = 'ServiceAwayError';
}

/** Configures how a request is forwarded. */
export interface Forwarding {
  /** The service's address, such as `http://payments-service:8000`. */
  readonly origin: string;
  /** How long the service may be silent, in milliseconds. */
  readonly timeoutMs: number;
  /** The request's body, if it was read already. */
  readonly body?: Buffer;
  /** Headers to add. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Forwards requests to services and streams their answers back. Opens a connection for each request, because a kept one
 * would hang until its timeout if its container was removed from the network.
 */
export class Forwarder {
  readonly #proxy = createProxyServer({ agent: false });

  constructor() {
    // Node starts a request's own timeout when it is connected, and then that one replaces this one
    this.#proxy.on('proxyReq', (asked) => asked.socket?.setTimeout(CONNECT_TIMEOUT_MS));
    this.#proxy.on('proxyRes', (answer, _request, response) => {
      for (const name of OF_ONE_CONNECTION) delete answer.headers[name];
      answer.headers.connection = response.shouldKeepAlive ? 'keep-alive' : 'close';
    });
  }

  /**
   * Forwards a request. Resolves once the whole answer was written to the caller, or the caller has closed the connection.
   * If the answer breaks off, the answer to the caller does too.
   *
   * @throws ServiceAwayError if there is no answer
   */
  async forward(
    request: IncomingMessage,
    response: ServerResponse,
    { origin, timeoutMs, body, headers = {} }: Forwarding,
  ): Promise<void> {
    const named = (request.headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase());
    for (const name of [...OF_ONE_CONNECTION, ...named])
      if (!OF_THE_REQUEST.has(name)) delete request.headers[name];
    try {
      await this.#proxy.web(request, response, {
        target: origin,
        proxyTimeout: timeoutMs,
        headers: { ...originOf(request), ...headers },
        ...(body && { buffer: Readable.from([body]) }),
      });
    } catch (cause) {
      if (response.headersSent) response.destroy();
      else throw new ServiceAwayError(`${origin} does not answer`, { cause });
    }
  }
}

/**
 * Says where a request comes from, as the load balancers of AWS do. The caller's address stands at the end of
 * `x-forwarded-for`: what stands before it is only what the caller says.
 */
function originOf({ headers, socket }: IncomingMessage): Record<string, string> {
  const { host = '', 'x-forwarded-for': said } = headers;
  const address = socket.remoteAddress ?? '';
  return {
    'x-forwarded-for': said === undefined ? address : `${String(said)}, ${address}`,
    'x-forwarded-host': host,
    'x-forwarded-port': String(socket.localPort ?? ''),
    'x-forwarded-proto': 'http',
  };
}
