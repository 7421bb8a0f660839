// A token issuer for tests: makes tokens that an API accepts, with keys of its own.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';

const ALGORITHM = 'ES256';
const KEY_ID = 'test';
const HOUR_SECONDS = 3600;

/** Whom a token is for, and what it allows. */
export interface TokenOptions {
  /** The token's `sub`: the caller's `subject`. */
  readonly subject: string;
  /** Default: none. */
  readonly scopes?: readonly string[];
  /** How long the token is valid, in seconds. A negative number makes one that has expired. Default: an hour. */
  readonly seconds?: number;
  /** Further claims. They win over the others. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** Configures an issuer for tests. */
export interface TestIssuerOptions {
  /** Whom its tokens are meant for. Default `tests`. */
  readonly audience?: string;
  /** The port of its server, at 127.0.0.1. Default: a free one. */
  readonly port?: number;
}

/**
 * A token issuer at 127.0.0.1, with keys that nobody else has. An API accepts its tokens if it starts with the issuer's
 * `environment`.
 *
 * @example
 * const issuer = await TestIssuer.start();
 * const handler = createApi({ logger, environment: issuer.environment }, routes);
 * const token = await issuer.token({ subject: 'c-1', scopes: ['operator'] });
 * await fetch(url, { headers: { authorization: `Bearer ${token}` } });
 * await issuer.stop();
 */
export class TestIssuer {
  /** The variables of an API that accepts the tokens. */
  readonly environment: Readonly<Record<'AUTHENTICATION' | 'JWT_ISSUER' | 'JWT_AUDIENCE', string>>;
  readonly #server: Server;
  readonly #privateKey: CryptoKey;

  private constructor(server: Server, privateKey: CryptoKey, issuer: string, audience: string) {
    this.#server = server;
    this.#privateKey = privateKey;
    this.environment = { AUTHENTICATION: 'jwt', JWT_ISSUER: issuer, JWT_AUDIENCE: audience };
  }

  /** Makes keys and serves the public one. Stop it at the end. */
  static async start({ audience = 'tests', port = 0 }: TestIssuerOptions = {}): Promise<TestIssuer> {
    const { privateKey, publicKey } = await generateKeyPair(ALGORITHM);
    const keys = [{ ...(await exportJWK(publicKey)), kid: KEY_ID, alg: ALGORITHM, use: 'sig' }];
    const server = createServer();
    await once(server.listen(port, '127.0.0.1'), 'listening');
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const documents: Readonly<Record<string, unknown>> = {
      '/.well-known/openid-configuration': { issuer, jwks_uri: `${issuer}/jwks.json` },
      '/jwks.json': { keys },
    };
    server.on('request', (request, response) => {
      const document = documents[request.url ?? ''];
      response.writeHead(document ? 200 : 404, { 'content-type': 'application/json' });
      response.end(JSON.stringify(document ?? {}));
    });
    return new TestIssuer(server, privateKey, issuer, audience);
  }

  /** Makes a token. */
  token({ subject, scopes = [], seconds = HOUR_SECONDS, claims }: TokenOptions): Promise<string> {
    const { JWT_ISSUER: iss, JWT_AUDIENCE: aud } = this.environment;
    const iat = Math.floor(Date.now() / 1000);
    const scope = scopes.length > 0 ? { scope: scopes.join(' ') } : {};
    const all: JWTPayload = { iss, aud, sub: subject, iat, exp: iat + seconds, ...scope, ...claims };
    return new SignJWT(all).setProtectedHeader({ alg: ALGORITHM, kid: KEY_ID }).sign(this.#privateKey);
  }

  /** Stops its server. APIs that know its key go on to accept its tokens. */
  async stop(): Promise<void> {
    this.#server.close().closeAllConnections();
    await once(this.#server, 'close');
  }
}
