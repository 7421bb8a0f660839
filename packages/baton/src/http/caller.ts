// Who calls a route.

/** The subject of the anonymous caller. No token may have it. */
export const ANONYMOUS = '(anonymous)';

/** Who calls a route: the subject of a verified token, or the anonymous caller. */
export interface Caller {
  /**
   * Whom the token was issued to: its `sub`, 1 to 255 characters. The anonymous caller has `(anonymous)`, and a token with
   * that `sub` is refused, so a subject alone tells who it is.
   */
  readonly subject: string;
  /** What the token allows: its `scope`, or `scp`. Empty for the anonymous caller. */
  readonly scopes: readonly string[];
  /** The token's verified claims. Empty for the anonymous caller. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** Whether the caller showed no token: on a public route, or because authentication is off. */
  readonly isAnonymous: boolean;
  /**
   * Whether the caller may do what a scope allows. While authentication is off, everybody may do everything. With it, the
   * anonymous caller may do nothing.
   */
  may(scope: string): boolean;
}

/** The caller of a public route who shows no token. */
export const STRANGER: Caller = anonymous(false);

/** The caller of every route while authentication is off. */
export const ANYBODY: Caller = anonymous(true);

/** Makes the caller of a verified token. */
export function callerOf(
  subject: string,
  scopes: readonly string[],
  claims: Readonly<Record<string, unknown>>,
): Caller {
  return Object.freeze({
    subject,
    scopes: Object.freeze([...scopes]),
    claims,
    isAnonymous: false,
    may: (scope: string) => scopes.includes(scope),
  });
}

function anonymous(mayAll: boolean): Caller {
  return Object.freeze({
    subject: ANONYMOUS,
    scopes: Object.freeze([]),
    claims: Object.freeze({}),
    isAnonymous: true,
    may: () => mayAll,
  });
}
