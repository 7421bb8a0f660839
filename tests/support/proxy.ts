import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

const SLOW_MS = 300;

/**
 * How a network treats what goes through it: `cut` refuses and breaks connections, `half-open` accepts and never
 * answers, `reset` breaks each answer after its first bytes, `slow` holds every answer up for 300 ms.
 */
export type NetworkMode = 'pass' | 'cut' | 'half-open' | 'reset' | 'slow';

/** A TCP proxy between a program and its broker, which can be made to misbehave. */
export class Proxy {
  mode: NetworkMode = 'pass';
  readonly #server: Server;
  readonly #target: URL;
  readonly #sockets = new Set<Socket>();

  private constructor(target: URL) {
    this.#target = target;
    this.#server = createServer((client) => this.#serve(client));
  }

  /** Starts a proxy in front of an endpoint such as `http://127.0.0.1:4566`. */
  static async start(endpoint: string): Promise<Proxy> {
    const proxy = new Proxy(new URL(endpoint));
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  /** The endpoint to give to the program. */
  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Changes the network, for connections that are open, too; slowness comes and goes without breaking any. */
  change(mode: NetworkMode): void {
    const slow = mode === 'slow' || this.mode === 'slow';
    this.mode = mode;
    if (!slow) for (const socket of this.#sockets) socket.destroy();
  }

  /** Breaks every connection and stops. */
  async stop(): Promise<void> {
    this.mode = 'cut';
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #serve(client: Socket): void {
    this.#track(client);
    if (this.mode === 'cut') client.destroy();
    if (this.mode === 'cut' || this.mode === 'half-open') return;
    const broker = connect(Number(this.#target.port), this.#target.hostname);
    this.#track(broker);
    client.pipe(broker);
    broker.on('data', (chunk: Buffer) => this.#answer(client, chunk));
    client.once('close', () => broker.destroy());
    broker.once('close', () => client.destroy());
  }

  #answer(client: Socket, chunk: Buffer): void {
    if (this.mode === 'reset') client.write(chunk.subarray(0, 20), () => client.resetAndDestroy());
    else if (this.mode === 'slow') setTimeout(() => client.writable && client.write(chunk), SLOW_MS);
    else client.write(chunk);
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => this.#sockets.delete(socket));
  }
}
