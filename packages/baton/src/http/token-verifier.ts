// Checks tokens: signed JWTs of one issuer (RFC 7519, RFC 8725).
import { errors, type JWTPayload, jwtVerify, type JWTVerifyGetKey } from 'jose';
import { ANONYMOUS, type Caller, callerOf } from './caller.ts';
import { IssuerUnavailableError } from './issuer-keys.ts';

/** Signatures with a public key only: with a shared secret, a process that checks tokens could also make them. */
const ALGORITHMS = 'RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519'.split(' ');
/** How far the issuer's clock may be from this one. */
const CLOCK_TOLERANCE_SECONDS = 10;
/** The longest subject (OpenID Connect Core 1.0, section 2). */
const MAX_SUBJECT_CHARACTERS = 255;
const CONTROL = /\p{Cc}/u;
/**
 * The types of tokens that let a caller in (RFC 9068, section 4; RFC 8725, section 3.11). Issuers sign tokens of other types
 * for the same audience: ID tokens, logout tokens. Many give no type, or JWT, to all.
 */
const TYPES: ReadonlySet<unknown> = new Set([undefined, 'jwt', 'at+jwt']);

/** A token is refused. The message says why in a few words, for the log. */
export class TokenRefusedError extends Error {
  override readonly name = 'TokenRefusedError';
  /** Whether the token is right except that its time is over. */
  readonly expired: boolean;

  constructor(message: string, options: { readonly expired?: boolean; readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.expired = options.expired ?? false;
  }
}

/** Configures the check of tokens. */
export interface TokenVerifierOptions {
  /** The `iss` of all tokens. */
  readonly issuer: string;
  /** A token's `aud`, or its `client_id` if it has no `aud`, must be one of these. */
  readonly audiences: readonly string[];
  readonly keys: { readonly find: JWTVerifyGetKey };
  /** The time in milliseconds since 1970. Default: the process's. */
  readonly now?: () => number;
}

/** Checks tokens of one issuer. */
export class TokenVerifier {
  readonly #options: TokenVerifierOptions;

  constructor(options: TokenVerifierOptions) {
    this.#options = options;
  }

  /**
   * Checks a token, and makes its caller.
   *
   * @throws TokenRefusedError if it is not valid, IssuerUnavailableError if it cannot be judged now
   */
  async verify(token: string): Promise<Caller> {
    const claims = await this.#claims(token);
    if (!this.#isMeant(claims)) throw new TokenRefusedError('claim aud');
    const { sub } = claims;
    if (!isSubject(sub)) throw new TokenRefusedError('claim sub');
    return callerOf(sub, scopesOf(claims), claims);
  }

  async #claims(token: string): Promise<JWTPayload> {
    const { issuer, keys, now = Date.now } = this.#options;
    try {
      const { payload, protectedHeader } = await jwtVerify(token, keys.find, {
        algorithms: ALGORITHMS,
        issuer,
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        currentDate: new Date(now()),
        requiredClaims: ['exp', 'sub'],
      });
      if (!isAccessToken(protectedHeader.typ, payload)) throw new TokenRefusedError('type');
      return payload;
    } catch (cause) {
      if (cause instanceof TokenRefusedError || cause instanceof IssuerUnavailableError) throw cause;
      throw refusal(cause);
    }
  }

  /** API Gateway reads `client_id` in place of a missing `aud`, which the access tokens of Amazon Cognito lack. */
  #isMeant({ aud, client_id: clientId }: JWTPayload): boolean {
    const named: readonly unknown[] = aud === undefined ? [clientId] : [aud].flat();
    return this.#options.audiences.some((audience) => named.includes(audience));
  }
}

/** Whether a signed token is for calling an API. One with `events` tells something (RFC 8417), such as that a user logged out. */
function isAccessToken(type: unknown, { events }: JWTPayload): boolean {
  const short = typeof type === 'string' ? type.toLowerCase().replace(/^application\//, '') : type;
  return TYPES.has(short) && events === undefined;
}

function refusal(cause: unknown): TokenRefusedError {
  // Web Crypto and jose throw other errors for a key that they do not take, such as one of RSA with 1024 bits
  if (!(cause instanceof errors.JOSEError)) return new TokenRefusedError('unusable key', { cause });
  if (cause instanceof errors.JWTExpired) return new TokenRefusedError('expired', { expired: true, cause });
  if (cause instanceof errors.JWTClaimValidationFailed)
    return new TokenRefusedError(`claim ${cause.claim}`, { cause });
  return new TokenRefusedError(cause.code.replace(/^ERR_/, '').replaceAll('_', ' ').toLowerCase(), { cause });
}

function isSubject(sub: unknown): sub is string {
  if (typeof sub !== 'string' || sub === ANONYMOUS || !sub.isWellFormed()) return false;
  return sub.trim().length > 0 && sub.length <= MAX_SUBJECT_CHARACTERS && !CONTROL.test(sub);
}

/** The scopes of a token: in `scope` (RFC 8693, section 4.2) or `scp`, as a list or separated by spaces. */
function scopesOf({ scope, scp }: JWTPayload): string[] {
  const given = scope ?? scp;
  const texts: readonly unknown[] = Array.isArray(given) ? given : [given];
  return texts.flatMap((text) => (typeof text === 'string' ? text.split(' ').filter(Boolean) : []));
}
