// Finds out who calls: reads how from the environment, and checks the token of each request.
import * as z from 'zod';
import { type Environment, oneOf, orExit, parseConfig } from '../process/config.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Authenticate } from './access.ts';
import { ANYBODY, STRANGER } from './caller.ts';
import { isSafeIssuerUrl } from './issuer-json.ts';
import { IssuerKeys, IssuerUnavailableError } from './issuer-keys.ts';
import { Problem } from './problem.ts';
import { TokenRefusedError, TokenVerifier } from './token-verifier.ts';

/** The longest `authorization` header, in characters. API Gateway takes 10,240 bytes of headers. */
const MAX_HEADER_CHARACTERS = 8192;
/** The characters of a bearer token (RFC 6750, section 2.1). The scheme's case does not matter (RFC 9110, section 11.1). */
const BEARER = /^Bearer +(?<token>[\w.~+/-]+=*)$/i;
/** The scheme, before its end or a character that no scheme has. */
const SCHEME = /^Bearer(?![\w!#$%&'*+.^`|~-])/i;
const RETRY_AFTER_SECONDS = 5;

const list = z.string().transform((text) => text.split(',').map((item) => item.trim()));
const url = z.url({ protocol: /^https?$/, error: 'expected a URL such as https://login.example.com' });
const EXPECTED = {
  JWT_ISSUER: 'expected the issuer of tokens, such as https://login.example.com, or AUTHENTICATION=none',
  JWT_AUDIENCE: 'expected whom tokens are meant for, such as my-api, or AUTHENTICATION=none',
};

/** The variables of an API: how it finds out who calls. */
export const authenticationVariables = z
  .object({
    AUTHENTICATION: oneOf(['jwt', 'none'], 'jwt'),
    JWT_ISSUER: url.optional(),
    JWT_AUDIENCE: list.pipe(z.array(z.string().min(1))).optional(),
    JWT_JWKS_URL: url.optional(),
  })
  .superRefine((given, context) => {
    const refuse = (name: keyof typeof given, message: string): void =>
      context.addIssue({ code: 'custom', path: [name], message });
    const { AUTHENTICATION: kind, JWT_ISSUER: issuer, JWT_JWKS_URL: jwksUrl } = given;
    if (kind === 'none' && issuer !== undefined)
      return refuse('AUTHENTICATION', 'expected jwt, because JWT_ISSUER is set');
    if (kind === 'none') return;
    for (const name of ['JWT_ISSUER', 'JWT_AUDIENCE'] as const)
      if (given[name] === undefined) refuse(name, EXPECTED[name]);
    if (issuer !== undefined && jwksUrl === undefined && !isSafeIssuerUrl(issuer))
      refuse(
        'JWT_ISSUER',
        'expected https, because the keys of tokens come from there. JWT_JWKS_URL names another place',
      );
  });

/**
 * Reads from the environment how an API finds out who calls. With AUTHENTICATION=none everybody may call every route, and
 * a line in the log says so. A missing or wrong variable ends the process with status 1 and a line for each.
 */
export function authenticationOf(environment: Environment, logger: Logger): Authenticate {
  const config = orExit(() => parseConfig(authenticationVariables, environment));
  const { AUTHENTICATION: kind, JWT_ISSUER: issuer = '', JWT_AUDIENCE: audiences = [] } = config;
  if (kind === 'none') {
    logger.warn({}, 'authentication is off: everybody may call every route');
    return async () => ANYBODY;
  }
  const keys = new IssuerKeys({ issuer, jwksUrl: config.JWT_JWKS_URL, logger });
  return bearerAuthentication(new TokenVerifier({ issuer, audiences, keys }));
}

/** Finds the caller by the token in the `authorization` header (RFC 6750). */
export function bearerAuthentication(verifier: Pick<TokenVerifier, 'verify'>): Authenticate {
  return async ({ headers }, access) => {
    const header = headers['authorization'] ?? '';
    if (!SCHEME.test(header)) {
      if (access === 'public') return STRANGER;
      const reason = header === '' ? 'no token' : 'other scheme';
      throw unauthenticated(
        'This route needs a token: expected a header "authorization: Bearer" and a token.',
        reason,
      );
    }
    const token = header.length > MAX_HEADER_CHARACTERS ? undefined : BEARER.exec(header)?.groups?.['token'];
    if (token === undefined) throw invalidToken('not a token');
    return verifier.verify(token).catch((error: unknown) => {
      throw problemOf(error);
    });
  };
}

function problemOf(error: unknown): unknown {
  if (error instanceof TokenRefusedError) return invalidToken(error.message, error.expired);
  if (!(error instanceof IssuerUnavailableError)) return error;
  return new Problem('service-unavailable', {
    detail: `The token cannot be checked, because its issuer does not answer. Try again in ${RETRY_AFTER_SECONDS} s.`,
    headers: { 'retry-after': String(RETRY_AFTER_SECONDS) },
    cause: error,
  });
}

function invalidToken(reason: string, expired = false): Problem {
  const what = expired ? 'The token has expired' : 'The token is not valid';
  const challenge = `Bearer error="invalid_token", error_description="${what}"`;
  return unauthenticated(`${what} for this API; expected a new one from the issuer.`, reason, challenge);
}

function unauthenticated(detail: string, reason: string, challenge = 'Bearer'): Problem {
  return new Problem('unauthenticated', { detail, reason, headers: { 'www-authenticate': challenge } });
}
