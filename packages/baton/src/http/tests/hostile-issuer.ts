// An issuer at loopback whose keys, tokens and answers a test chooses.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from 'jose';

const SUBJECT = 'c-1';
const HOUR_SECONDS = 3600;

/** A pair of keys with its id. */
export interface SigningKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
}

/** Makes a pair of keys. */
export async function signingKey(kid: string, alg = 'RS256'): Promise<SigningKey> {
  return { kid, alg, ...(await generateKeyPair(alg, { extractable: true })) };
}

/** Makes a pair of RSA keys of 1024 bits, which jose refuses to make and to use. */
export async function weakKey(kid: string): Promise<SigningKey> {
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: 1024 };
  const publicExponent = new Uint8Array([1, 0, 1]);
  const pair = await crypto.subtle.generateKey({ ...algorithm, publicExponent }, true, ['sign', 'verify']);
  return { kid, alg: 'RS256', ...(pair as Pick<SigningKey, 'privateKey' | 'publicKey'>) };
}

/** How a token differs from a valid one. A claim that is undefined is left out. */
export interface Forgery {
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly header?: Readonly<Record<string, unknown>>;
  readonly key?: SigningKey;
}

/** An issuer that a test misuses. */
export class HostileIssuer {
  readonly url: string;
  readonly key: SigningKey;
  /** The keys that it publishes. */
  published: readonly SigningKey[];
  /** Answers in place of the issuer. */
  answer: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
  /** What follows its documents. */
  padding = '';
  /** The paths that were asked for, in order. */
  readonly asked: string[] = [];
  readonly #server: Server;

  private constructor(server: Server, key: SigningKey) {
    this.#server = server;
    this.key = key;
    this.published = [key];
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      this.asked.push(request.url ?? '');
      if (this.answer) this.answer(request, response);
      else void this.#document(request.url ?? '').then((text) => response.end(text + this.padding));
    });
  }

  static async start(alg = 'RS256'): Promise<HostileIssuer> {
    const server = createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return new HostileIssuer(server, await signingKey('first', alg));
  }

  /** The environment of an API that trusts it. */
  get environment(): Record<string, string> {
    return { JWT_ISSUER: this.url, JWT_AUDIENCE: 'tests, more-tests' };
  }

  /** Makes a token: valid unless something is forged. */
  token({ claims, header, key = this.key }: Forgery = {}): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const valid = { iss: this.url, aud: 'tests', sub: SUBJECT, iat: now, exp: now + HOUR_SECONDS };
    const payload = JSON.parse(JSON.stringify({ ...valid, ...claims })) as JWTPayload;
    const protectedHeader = JSON.parse(JSON.stringify({ alg: key.alg, kid: key.kid, ...header })) as never;
    return new SignJWT(payload)
      .setProtectedHeader(protectedHeader)
      .sign(key.privateKey, { crit: { extension: true } });
  }

  /** A token of the issuer that is signed without a look at how long its key is. */
  async weakToken({ kid, alg, privateKey }: SigningKey): Promise<string> {
    const [, payload = ''] = (await this.token()).split('.');
    const signed = `${Buffer.from(JSON.stringify({ alg, kid })).toString('base64url')}.${payload}`;
    const signature = await crypto.subtle.sign(privateKey.algorithm, privateKey, Buffer.from(signed));
    return `${signed}.${Buffer.from(signature).toString('base64url')}`;
  }

  /** A token that is signed with the text of the public key as a shared secret. */
  async confusedToken(): Promise<string> {
    const secret = new TextEncoder().encode(await exportSPKI(this.key.publicKey));
    const { iss, aud, sub, exp } = { iss: this.url, aud: 'tests', sub: SUBJECT, exp: 9_999_999_999 };
    return new SignJWT({ iss, aud, sub, exp })
      .setProtectedHeader({ alg: 'HS256', kid: 'first' })
      .sign(secret);
  }

  async stop(): Promise<void> {
    this.#server.close().closeAllConnections();
    await once(this.#server, 'close');
  }

  async #document(path: string): Promise<string> {
    if (path !== '/keys') return JSON.stringify({ issuer: this.url, jwks_uri: `${this.url}/keys` });
    const keys = this.published.map(async ({ kid, alg, publicKey }) => ({
      ...(await exportJWK(publicKey)),
      kid,
      alg,
    }));
    return JSON.stringify({ keys: await Promise.all(keys) });
  }
}

/** A token without a signature: its header says `alg: none`. */
export function unsigned(token: string, alg = 'none'): string {
  const [, payload = ''] = token.split('.');
  return `${Buffer.from(JSON.stringify({ alg, typ: 'JWT' })).toString('base64url')}.${payload}.`;
}
