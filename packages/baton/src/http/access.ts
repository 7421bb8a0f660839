// Who may call a route.
import type { Caller } from './caller.ts';
import type { HttpRequest } from './http-message.ts';
import { Problem } from './problem.ts';

/** The characters of a scope (RFC 6749, section 3.3). */
const SCOPE = /^[\x21\x23-\x5B\x5D-\x7E]{1,100}$/;

/**
 * Who may call a route: everybody (`public`), everybody with a valid token (`authenticated`), or those whose token has at
 * least one of some scopes. An API Gateway that checks tokens reads its `authorizationScopes` in the same way.
 */
export type Access = 'public' | 'authenticated' | { readonly scopes: readonly [string, ...string[]] };

/** Finds the caller of a request. @throws Problem 401 without a valid token, 503 if no token can be judged now */
export type Authenticate = (request: HttpRequest, access: Access) => Promise<Caller>;

/** Checks what a route declares. @throws TypeError if it names no scope, or one with invalid characters */
export function checkAccess(access: Access, where: string): void {
  const scopes = typeof access === 'string' ? undefined : access.scopes;
  if (!scopes && (access === 'public' || access === 'authenticated')) return;
  if (Array.isArray(scopes) && scopes.length > 0 && scopes.every((scope) => SCOPE.test(scope))) return;
  throw new TypeError(
    `The access of the route ${where} is ${JSON.stringify(access)}: expected 'public', 'authenticated' or { scopes: ['one', 'or more'] }`,
  );
}

/** Lets a verified caller pass. @throws Problem 403 if the caller has none of the route's scopes */
export function checkScopes(access: Access, caller: Caller): void {
  if (typeof access === 'string' || access.scopes.some((scope) => caller.may(scope))) return;
  const scopes = access.scopes.join(' ');
  throw new Problem('forbidden', {
    detail: `The token has none of the scopes that this route allows; expected one of ${access.scopes.join(', ')}.`,
    headers: { 'www-authenticate': `Bearer error="insufficient_scope", scope="${scopes}"` },
  });
}
