// A network that misbehaves, for tests.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

const SLOW_MS = 300;
/** The header that names the action in AWS's JSON protocol. It is in the first bytes of a request. */
const ACTION = /^x-amz-target: (?:AmazonSQS|DynamoDB_\d+)\.(\w+)/im;

/**
 * The behaviour of a network. `cut`: refuses and breaks connections. `half-open`: accepts them and never answers. `reset`:
 * breaks each answer after its first bytes. `slow`: delays every answer by 300 ms. `held-requests`, `held-answers`: holds
 * them until the behaviour changes. `garbage`: answers itself, at once, with other bytes.
 */
export type NetworkMode =
  'pass' | 'cut' | 'half-open' | 'reset' | 'slow' | 'held-requests' | 'held-answers' | 'garbage';

/** The behaviours that start and end without breaking connections. */
const GENTLE = new Set<NetworkMode>(['slow', 'held-requests', 'held-answers', 'garbage']);

/** Configures a misbehaviour. */
export interface Misbehaviour {
  /** The only action of SQS or DynamoDB that it applies to, such as `ReceiveMessage`. Default: all actions. */
  readonly action?: string | undefined;
  /** The answer of `garbage`, as bytes on the wire. */
  readonly answer?: string | Buffer;
  /** Whether the connection ends with that answer. Default false. */
  readonly closes?: boolean;
}

/** A connection of the program, and the one to the broker. */
interface Connection {
  readonly client: Socket;
  readonly broker: Socket;
  /** The action of the last request on it. */
  action: string;
  /** The held bytes. */
  readonly held: (() => void)[];
  /** Whether a request was swallowed. Then the connection cannot be used any more. */
  stuck: boolean;
}

/** A TCP proxy between a program and its broker that can misbehave. */
export class Proxy {
  #mode: NetworkMode = 'pass';
  #misbehaviour: Misbehaviour = {};
  #troubled = 0;
  readonly #server: Server;
  readonly #target: URL;
  readonly #connections = new Set<Connection>();

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

  /** How many connections and requests the misbehaviour has hit since the last change. */
  get troubled(): number {
    return this.#troubled;
  }

  /**
   * Changes the behaviour. Breaks open connections, except for slow, held or other answers. If it applies to one action only,
   * it breaks only connections whose request was swallowed.
   */
  change(mode: NetworkMode, misbehaviour: Misbehaviour = {}): void {
    const gentle = GENTLE.has(mode) || GENTLE.has(this.#mode);
    const scoped = misbehaviour.action ?? this.#misbehaviour.action;
    this.#mode = mode;
    this.#misbehaviour = misbehaviour;
    this.#troubled = 0;
    for (const connection of this.#connections) {
      if (connection.stuck || (!gentle && !scoped)) connection.client.destroy();
      else for (const letThrough of connection.held.splice(0)) letThrough();
    }
  }

  /** Breaks every connection and stops. */
  async stop(): Promise<void> {
    this.#server.close();
    this.change('cut');
    await once(this.#server, 'close');
  }

  #serve(client: Socket): void {
    const broker = connect(Number(this.#target.port), this.#target.hostname);
    const connection: Connection = { client, broker, action: '', held: [], stuck: false };
    this.#connections.add(connection);
    client.on('error', () => undefined).on('data', (chunk: Buffer) => this.#ask(connection, chunk));
    broker.on('error', () => undefined).on('data', (chunk: Buffer) => this.#answer(connection, chunk));
    broker.once('close', () => client.destroy());
    client.once('close', () => {
      broker.destroy();
      this.#connections.delete(connection);
    });
    if (this.#modeFor('') !== 'cut') return;
    this.#troubled += 1;
    client.destroy();
  }

  #modeFor(action: string): NetworkMode {
    const { action: only } = this.#misbehaviour;
    return only === undefined || only === action ? this.#mode : 'pass';
  }

  #ask(connection: Connection, chunk: Buffer): void {
    const { client, broker, held } = connection;
    const begins = ACTION.exec(chunk.toString('latin1'))?.[1];
    connection.action = begins ?? connection.action;
    const mode = this.#modeFor(connection.action);
    if (begins && mode !== 'pass') this.#troubled += 1;
    if (mode === 'cut') client.destroy();
    else if (mode === 'half-open') connection.stuck = true;
    else if (mode === 'held-requests') held.push(() => broker.write(chunk));
    else if (mode === 'garbage') {
      const { answer = '', closes } = this.#misbehaviour;
      if (begins && closes) client.end(answer);
      else if (begins) client.write(answer);
    } else broker.write(chunk);
  }

  #answer(connection: Connection, chunk: Buffer): void {
    const { client, action, held } = connection;
    const mode = this.#modeFor(action);
    if (mode === 'cut') client.destroy();
    else if (mode === 'half-open') connection.stuck = true;
    else if (mode === 'reset') client.write(chunk.subarray(0, 20), () => client.resetAndDestroy());
    else if (mode === 'held-answers') held.push(() => client.write(chunk));
    else if (mode === 'slow') setTimeout(() => client.writable && client.write(chunk), SLOW_MS);
    else client.write(chunk);
  }
}
