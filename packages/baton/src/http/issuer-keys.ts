// The public keys of a token issuer, read by HTTP.
import { createLocalJWKSet, errors, type JWTVerifyGetKey } from 'jose';
import * as z from 'zod';
import type { Logger } from '../telemetry/logger.ts';
import { within } from '../time/within.ts';
import { isSafeIssuerUrl, readIssuerJson } from './issuer-json.ts';

/** After this time the keys are read again. */
const REFRESH_MS = 600_000;
/** How long a request waits for keys that are read again. */
const WAIT_MS = 3000;
/** How long no request waits for them after one has waited in vain. */
const NO_WAIT_MS = 60_000;
/** How long keys count without a new answer of the issuer: two hours, as in API Gateway. */
const MAX_AGE_MS = 7_200_000;
/** How soon a token of an unknown key makes the keys be read again. */
const COOLDOWN_MS = 30_000;
/** How long the issuer is not asked after it did not answer. */
const REST_MS = 5000;

const discoverySchema = z.looseObject({ issuer: z.string(), jwks_uri: z.string() });
const jwksSchema = z.looseObject({ keys: z.array(z.looseObject({})) });

/** The issuer's keys cannot be read, so no token can be judged. */
export class IssuerUnavailableError extends Error {
  override readonly name = 'IssuerUnavailableError';
}

/** Configures the keys of an issuer. */
export interface IssuerKeysOptions {
  readonly issuer: string;
  /** Where its keys are. Default: the `jwks_uri` of its /.well-known/openid-configuration. */
  readonly jwksUrl?: string | undefined;
  readonly logger: Logger;
  /** The time in milliseconds since 1970. Default: the process's. */
  readonly now?: () => number;
}

/**
 * The keys of an issuer. They are read for the first token, again after 10 minutes, and at once for a token of an unknown
 * key, at most every 30 s. While the issuer is away, they count for two hours.
 *
 * After 10 minutes requests wait for the new keys, for at most 3 s, because Lambda freezes a process between requests: what
 * is read beside a request may never arrive. If one waited in vain, no other does for a minute.
 */
export class IssuerKeys {
  readonly #options: IssuerKeysOptions;
  readonly #now: () => number;
  #keys: JWTVerifyGetKey | undefined;
  #readAtMs = 0;
  #failedAtMs = -Infinity;
  #waitedAtMs = -Infinity;
  #reading: Promise<JWTVerifyGetKey> | undefined;

  constructor(options: IssuerKeysOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /**
   * Finds the key of a token, for jose.
   *
   * @throws IssuerUnavailableError if the keys cannot be read, JOSEError if no key fits the token
   */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    const keys = await this.#current();
    try {
      return await keys(header, token);
    } catch (error) {
      const unknown = error instanceof errors.JWKSNoMatchingKey;
      if (!unknown || this.#now() - this.#readAtMs < COOLDOWN_MS) throw error;
    }
    return (await this.#read())(header, token);
  };

  async #current(): Promise<JWTVerifyGetKey> {
    const ageMs = this.#now() - this.#readAtMs;
    if (!this.#keys || ageMs >= MAX_AGE_MS) return this.#read();
    if (ageMs < REFRESH_MS) return this.#keys;
    const reading = this.#read().catch(() => undefined);
    if (this.#now() - this.#waitedAtMs < NO_WAIT_MS) return this.#keys;
    const read = await within(WAIT_MS, reading, () => undefined);
    if (!read) this.#waitedAtMs = this.#now();
    return read ?? this.#keys;
  }

  /** Reads the keys: once for all that ask meanwhile, and not soon after a failure. */
  #read(): Promise<JWTVerifyGetKey> {
    this.#reading ??= this.#fetch().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #fetch(): Promise<JWTVerifyGetKey> {
    if (this.#now() - this.#failedAtMs < REST_MS)
      throw new IssuerUnavailableError('The token issuer did not answer a moment ago');
    try {
      const jwks = jwksSchema.parse(await readIssuerJson(await this.#jwksUrl()));
      this.#keys = createLocalJWKSet(jwks);
      this.#readAtMs = this.#now();
      return this.#keys;
    } catch (cause) {
      this.#failedAtMs = this.#now();
      const { issuer, logger } = this.#options;
      logger.warn({ issuer, error: cause }, 'keys of the token issuer could not be read');
      throw new IssuerUnavailableError('The keys of the token issuer could not be read', { cause });
    }
  }

  /** Where the keys are. The issuer's document must name the issuer (OpenID Connect Discovery 1.0, section 4.3). */
  async #jwksUrl(): Promise<string> {
    const { issuer, jwksUrl } = this.#options;
    if (jwksUrl !== undefined) return jwksUrl;
    const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const found = discoverySchema.parse(await readIssuerJson(url));
    if (found.issuer !== issuer)
      throw new Error(`${url} is of the issuer ${JSON.stringify(found.issuer.slice(0, 200))}, not ${issuer}`);
    if (!isSafeIssuerUrl(found.jwks_uri))
      throw new Error(`${url} names keys at ${found.jwks_uri.slice(0, 200)}; expected https`);
    return found.jwks_uri;
  }
}
