// A stand-in of AWS Secrets Manager for tests. It refuses requests that are not signed as AWS wants them.
import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** The credentials that the stand-in takes. */
export const CREDENTIALS = {
  accessKeyId: 'AKTESTS',
  secretAccessKey: 'tests/secret',
  sessionToken: 'tests-token',
};
const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=(\w+)\/(\d{8})\/([a-z0-9-]+)\/secretsmanager\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$/;
/** The headers that a signature has to cover. */
const SIGNED = ['host', 'x-amz-date', 'x-amz-security-token', 'x-amz-target'];

/** Answers a request in place of the stand-in. */
export type SecretsAnswer = (response: ServerResponse) => void;

/** The ARN of a secret for tests. */
export function arnOfSecret(name: string): string {
  return `arn:aws:secretsmanager:us-east-1:123456789012:secret:${name}-AbCdEf`;
}

/** An answer with an error of AWS. */
export function awsError(status: number, type: string): SecretsAnswer {
  const body = JSON.stringify({ __type: type, Message: 'tests' });
  return (response) =>
    void response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(body);
}

/** A server that gives secrets as Secrets Manager does. */
export class SecretsManager {
  /** The current text of each secret, by its ARN. */
  readonly secrets = new Map<string, string>();
  /** Answers the next requests, one each. */
  readonly answers: SecretsAnswer[] = [];
  /** The ARNs that were asked for. */
  readonly asked: string[] = [];
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  /** Starts one at a free port of 127.0.0.1. */
  static async start(): Promise<SecretsManager> {
    const started = new SecretsManager();
    started.#server.listen(0, '127.0.0.1');
    await once(started.#server, 'listening');
    return started;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const { SecretId: arn } = JSON.parse(body) as { SecretId: string };
    this.asked.push(arn);
    const isSigned =
      isValidlySigned(request, body) && request.headers['x-amz-target'] === 'secretsmanager.GetSecretValue';
    const secret = this.secrets.get(arn);
    const answer = this.answers.shift();
    if (answer) answer(response);
    else if (!isSigned) awsError(400, 'InvalidSignatureException')(response);
    else if (secret === undefined) awsError(400, 'ResourceNotFoundException')(response);
    else response.writeHead(200).end(JSON.stringify({ ARN: arn, SecretString: secret, VersionId: '1' }));
  }
}

/** Whether a request has a valid signature (AWS IAM User Guide, "Create a signed AWS API request"). */
function isValidlySigned({ method = '', url = '', headers }: IncomingMessage, body: string): boolean {
  const [, keyId, day = '', region = '', names = '', signature] =
    AUTHORIZATION.exec(headers.authorization ?? '') ?? [];
  const signed = names.split(';');
  if (keyId !== CREDENTIALS.accessKeyId || SIGNED.some((name) => !signed.includes(name))) return false;
  const lines = signed.map((name) => `${name}:${String(headers[name]).trim()}\n`).join('');
  const canonical = [method, url, '', lines, names, sha256(body)].join('\n');
  const scope = `${day}/${region}/secretsmanager/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, sha256(canonical)].join('\n');
  const key = [day, region, 'secretsmanager', 'aws4_request'].reduce<Buffer>(
    (from, part) => hmac(from, part),
    Buffer.from(`AWS4${CREDENTIALS.secretAccessKey}`),
  );
  return hmac(key, toSign).toString('hex') === signature;
}

function sha256(content: string): string {
  return createHash('sha256').update(content).digest('hex');
}

function hmac(key: Buffer, content: string): Buffer {
  return createHmac('sha256', key).update(content).digest();
}
