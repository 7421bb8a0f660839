import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { createProxyServer } from 'httpxy';

/** Headers that are about one connection alone (RFC 9110, section 7.6.1), and `expect`, which is answered here. */
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
/** Headers that say where a body ends, which no caller may call one connection's own: it would go out as a next request. */
const OF_THE_BODY: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding']);
/** How long a connection may take to be made; a container that is gone may leave an address where nobody says no. */
const CONNECT_TIMEOUT_MS = 3000;

/** A service did not answer: nobody listens there, it hung up, or it took too long. */
export class ServiceAwayError extends Error {
  override readonly name = 'ServiceAwayError';
}

/** How a request is handed on. */
export interface Forwarding {
  /** Where to, such as `http://payments-service:8000`. */
  readonly origin: string;
  /** How long the service may be silent, in milliseconds. */
  readonly timeoutMs: number;
  /** The request's body, where it is read already. */
  readonly body?: Buffer;
  /** Headers to add. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Hands requests on to services and streams their answers back. Each has a connection of its own: one that is kept
 * would hang for as long as it may be silent when its container was taken off the network.
 */
export class Forwarder {
  readonly #proxy = createProxyServer({ agent: false, xfwd: true });

  constructor() {
    // Node counts a request's own timeout from when it is connected, and that goes on in place of this one
    this.#proxy.on('proxyReq', (asked) => asked.socket?.setTimeout(CONNECT_TIMEOUT_MS));
    this.#proxy.on('proxyRes', (answer, _request, response) => {
      for (const name of OF_ONE_CONNECTION) delete answer.headers[name];
      answer.headers.connection = response.shouldKeepAlive ? 'keep-alive' : 'close';
    });
  }

  /**
   * Resolves once the answer is on its way to the caller, all of it, or the caller is gone.
   *
   * @throws ServiceAwayError when there is none; what has begun to come and does not end breaks off at the caller too
   */
  async forward(
    request: IncomingMessage,
    response: ServerResponse,
    { origin, timeoutMs, body, headers = {} }: Forwarding,
  ): Promise<void> {
    const named = (request.headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase());
    for (const name of [...OF_ONE_CONNECTION, ...named])
      if (!OF_THE_BODY.has(name)) delete request.headers[name];
    try {
      await this.#proxy.web(request, response, {
        target: origin,
        proxyTimeout: timeoutMs,
        headers: { ...headers },
        ...(body && { buffer: Readable.from([body]) }),
      });
    } catch (cause) {
      if (response.headersSent) response.destroy();
      else throw new ServiceAwayError(`${origin} does not answer`, { cause });
    }
  }
}
