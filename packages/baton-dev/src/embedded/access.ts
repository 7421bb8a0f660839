// Who may call the API of the embedded runtime.
import { TestIssuer } from 'baton-tasks/testing';
import type { LocalConfig } from './config.ts';

const TOKEN_SECONDS = 43_200;
/** Whom the runtime's own tokens are for. The second may do what the services keep for their own people. */
const CALLERS = [
  { name: 'customer', subject: 'c-1', scopes: [] },
  { name: 'operator', subject: 'o-1', scopes: ['operator'] },
] as const;

/** A token of the runtime's own issuer. */
export interface LocalToken {
  /** Whom it is for, such as `customer`. */
  readonly name: string;
  readonly token: string;
}

/** Who may call the API. */
export interface LocalAccess {
  /** The variables of the API. */
  readonly environment: Readonly<Record<string, string>>;
  /** In a few words, for the banner. */
  readonly description: string;
  /** None if everybody may call, or another issuer makes them. */
  readonly tokens: readonly LocalToken[];
  stop(): Promise<void>;
}

/**
 * Decides who may call. Without a word everybody may, because only programs of this machine reach the runtime. With
 * AUTHENTICATION=jwt callers need a token: of JWT_ISSUER, or of an issuer that starts here, with keys of its own.
 */
export async function startAccess(config: LocalConfig): Promise<LocalAccess> {
  const { AUTHENTICATION: kind = config.JWT_ISSUER === undefined ? 'none' : 'jwt', JWT_ISSUER } = config;
  const environment = { AUTHENTICATION: kind };
  const stop = async (): Promise<void> => undefined;
  if (kind === 'none') {
    const description = 'open to everybody on this machine (AUTHENTICATION=jwt npm start asks for tokens)';
    return { environment, description, tokens: [], stop };
  }
  if (JWT_ISSUER !== undefined)
    return { environment, description: `with a token of ${JWT_ISSUER}`, tokens: [], stop };
  const issuer = await TestIssuer.start({ audience: 'baton' });
  const tokens = CALLERS.map(async ({ name, ...caller }) => ({
    name,
    token: await issuer.token({ ...caller, seconds: TOKEN_SECONDS }),
  }));
  return {
    environment: issuer.environment,
    description: 'with one of these tokens, until the runtime stops',
    tokens: await Promise.all(tokens),
    stop: () => issuer.stop(),
  };
}
