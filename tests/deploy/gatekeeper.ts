import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { attributesOf, type NamingRequest } from 'baton-dev/testing/request-attributes';
import { type Allowed, nameIn } from './policy.ts';

/** A call in the terms of IAM: the action, and the names of its queues, tables, indexes or secrets. */
interface Call {
  readonly action: string;
  readonly targets: readonly string[];
  /** The attributes that a call of DynamoDB names. */
  readonly attributes: ReadonlySet<string>;
}

/**
 * A proxy between functions and an emulator that enforces policies, because the emulator only stores them. It refuses
 * calls that the caller's role does not allow. Each caller has its own path.
 */
export class Gatekeeper {
  readonly #server: Server;
  readonly #endpoint: string;
  readonly #allowed = new Map<string, readonly Allowed[]>();
  readonly #used = new Map<string, Set<string>>();
  readonly #refused: string[] = [];

  private constructor(endpoint: string) {
    this.#endpoint = endpoint;
    this.#server = createServer((request, response) => void this.#pass(request, response));
  }

  /** Starts a gatekeeper in front of the emulator at an endpoint. */
  static async start(endpoint: string): Promise<Gatekeeper> {
    const gatekeeper = new Gatekeeper(endpoint);
    gatekeeper.#server.listen(0, '127.0.0.1');
    await once(gatekeeper.#server, 'listening');
    return gatekeeper;
  }

  /** Allows a caller what its policy allows. Returns the caller's endpoint. */
  admit(caller: string, allowed: readonly Allowed[]): string {
    this.#allowed.set(caller, allowed);
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/${caller}`;
  }

  /** The allowed actions that a caller has used. */
  used(caller: string): ReadonlySet<string> {
    return this.#used.get(caller) ?? new Set();
  }

  /** The refused actions with their callers. */
  get refused(): readonly string[] {
    return this.#refused;
  }

  /** Stops the proxy. */
  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async #pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks);
      const caller = request.url?.split('/')[1] ?? '';
      const why = this.#check(caller, callOf(String(request.headers['x-amz-target']), body.toString()));
      if (why === undefined) return await this.#forward(request, body, response);
      this.#refused.push(why);
      const headers = { 'content-type': 'application/x-amz-json-1.0' };
      response
        .writeHead(400, headers)
        .end(JSON.stringify({ __type: 'com.amazonaws#AccessDeniedException', message: why }));
    } catch {
      response.destroy();
    }
  }

  #check(caller: string, { action, targets, attributes }: Call): string | undefined {
    for (const target of targets) {
      const use = `${action} ${target}`;
      const statements = this.#allowed.get(caller)?.filter((each) => each.use === use) ?? [];
      const mayAll = statements.some((each) =>
        [...attributes].every((name) => each.attributes?.has(name) ?? true),
      );
      if (!mayAll)
        return `${caller} may not ${use}${statements.length > 0 ? ` ${[...attributes].join()}` : ''}`;
      const used = this.#used.get(caller) ?? new Set();
      this.#used.set(caller, used.add(use));
    }
    return undefined;
  }

  async #forward(request: IncomingMessage, body: Buffer, response: ServerResponse): Promise<void> {
    const { host: _host, connection: _connection, 'content-length': _length, ...headers } = request.headers;
    const answer = await fetch(this.#endpoint, {
      method: 'POST',
      headers: headers as Record<string, string>,
      body: new Uint8Array(body),
    });
    const type = answer.headers.get('content-type') ?? 'application/x-amz-json-1.0';
    const checksum = answer.headers.get('x-amz-crc32');
    response.writeHead(answer.status, { 'content-type': type, ...(checksum && { 'x-amz-crc32': checksum }) });
    response.end(Buffer.from(await answer.arrayBuffer()));
  }
}

/** Reads a request of the JSON protocol of SQS, DynamoDB or Secrets Manager. A batch of writes needs the action of its single call. */
function callOf(target: string, body: string): Call {
  const [service = '', name = ''] = target.split('.');
  const request = JSON.parse(body) as NamingRequest & {
    QueueUrl?: string;
    TableName?: string;
    IndexName?: string;
    RequestItems?: object;
    SecretId?: string;
  };
  const { QueueUrl, TableName, IndexName, RequestItems, SecretId } = request;
  const attributes = attributesOf(request);
  if (service === 'AmazonSQS')
    return {
      action: `sqs:${name.replace(/Batch$/, '')}`,
      targets: [QueueUrl?.split('/').at(-1) ?? ''],
      attributes,
    };
  if (SecretId !== undefined)
    return { action: `${service}:${name}`, targets: [nameIn(SecretId)], attributes };
  const index = IndexName === undefined ? '' : `/index/${IndexName}`;
  const tables = RequestItems ? Object.keys(RequestItems) : [`${TableName}${index}`];
  return { action: `dynamodb:${name}`, targets: tables, attributes };
}
