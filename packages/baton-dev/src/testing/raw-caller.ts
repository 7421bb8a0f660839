// A caller that writes bytes to a socket, so that tests can send what no HTTP client sends.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** One connection to a server, and what it has answered so far. */
export class RawCaller {
  readonly socket: Socket;
  #answered = '';

  /** @param from - the address of this machine to call from, such as `127.0.0.2`: another peer for the server */
  constructor(port: number, from = '127.0.0.1') {
    this.socket = connect({ port, host: '127.0.0.1', localAddress: from }).on('error', () => undefined);
  }

  /** What the server has sent so far. */
  get answered(): string {
    return this.#answered;
  }

  /** The status codes of the answers so far. */
  get statuses(): number[] {
    return [...this.#answered.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status));
  }

  get closed(): boolean {
    return this.socket.closed;
  }

  async connected(): Promise<this> {
    if (this.socket.connecting) await once(this.socket, 'connect');
    return this;
  }

  /** Sends bytes, and reads whatever comes. */
  send(bytes: string | Buffer): this {
    this.socket.write(bytes);
    if (this.socket.listenerCount('data') === 0)
      this.socket.on('data', (chunk) => (this.#answered += chunk.toString('latin1')));
    this.socket.resume();
    return this;
  }

  /** Sends bytes, and never reads an answer. */
  sendUnread(bytes: string | Buffer): this {
    this.socket.pause().write(bytes);
    return this;
  }

  /** Resolves to all that the server has sent once it has closed the connection. */
  async untilClosed(): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (!this.socket.closed) {
      this.socket.once('close', () => resolve());
      await promise;
    }
    return this.#answered;
  }

  end(): void {
    this.socket.destroy();
  }
}

/** Sends bytes on a new connection. Resolves to all that the server has sent once it has closed the connection. */
export async function answerTo(port: number, bytes: string): Promise<string> {
  const caller = await new RawCaller(port).connected();
  return caller.send(bytes).untilClosed();
}
