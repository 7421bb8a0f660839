// Reads the configuration of a process's HTTP servers from its environment.
import * as z from 'zod';
import { oneOf, port, text, textFile, wholeNumber } from '../process/config.ts';
import { RateLimit } from './rate-limit.ts';
import { isNetwork } from './trusted-proxies.ts';

/** How much longer requests may take than connections are kept: Node closes a connection a second later than announced. */
const REQUEST_RESERVE_SECONDS = 5;

/** How long an HTTP server keeps idle connections and waits for requests. Check them with `checkHttpTimeouts`. */
export const httpTimeouts = {
  HTTP_KEEP_ALIVE_SECONDS: wholeNumber(1, 3600, 65),
  HTTP_REQUEST_TIMEOUT_SECONDS: wholeNumber(6, 3605, 75),
};

/** Adds an issue if the request timeout would close a connection before the keep-alive time ends. */
export function checkHttpTimeouts(
  timeouts: Readonly<Record<keyof typeof httpTimeouts, number>>,
  context: z.RefinementCtx,
): void {
  const { HTTP_KEEP_ALIVE_SECONDS: keptSeconds, HTTP_REQUEST_TIMEOUT_SECONDS: requestSeconds } = timeouts;
  const least = keptSeconds + REQUEST_RESERVE_SECONDS;
  if (requestSeconds >= least) return;
  const message = `expected at least ${least}: ${REQUEST_RESERVE_SECONDS} more than HTTP_KEEP_ALIVE_SECONDS, which is ${keptSeconds}`;
  context.addIssue({ code: 'custom', path: ['HTTP_REQUEST_TIMEOUT_SECONDS'], message });
}

/** The fewest characters of a secret: 24 random bytes in base64 have as many. */
const MIN_SECRET_CHARACTERS = 32;
const SECRET = `expected a secret of at least ${MIN_SECRET_CHARACTERS} characters`;

/** The secret that opens servers of functions. */
export const functionsToken = z.string().min(MIN_SECRET_CHARACTERS, { error: SECRET }).optional();

/** The secret in a file, which an orchestrator writes before the process starts. */
export const functionsTokenFile = textFile()
  .pipe(z.string().min(MIN_SECRET_CHARACTERS, { error: SECRET }))
  .optional();

/** Where a server of functions listens, and the secret that opens it. Check them with `checkFunctionsServer`. */
export const functionsServer = {
  FUNCTIONS_PORT: port(9000).unwrap().optional(),
  FUNCTIONS_NETWORK: text('the name of a network of Docker').optional(),
  FUNCTIONS_TOKEN: functionsToken,
  FUNCTIONS_TOKEN_FILE: functionsTokenFile,
};

/** Adds an issue if the port of functions would be open to everybody. */
export function checkFunctionsServer(
  variables: { readonly [Name in keyof typeof functionsServer]?: number | string | undefined },
  context: z.RefinementCtx,
): void {
  const { FUNCTIONS_PORT: opened, FUNCTIONS_TOKEN: token, FUNCTIONS_TOKEN_FILE: inFile } = variables;
  if (opened === undefined || token !== undefined || inFile !== undefined) return;
  const message = `${SECRET}, because FUNCTIONS_PORT is ${opened}: every caller of that port could run any task`;
  context.addIssue({ code: 'custom', path: ['FUNCTIONS_TOKEN'], message });
}

/** The limit of each caller of an API. */
export const rateLimitVariables = {
  RATE_LIMIT_PER_SECOND: wholeNumber(0, 100_000, 100),
  RATE_LIMIT_BURST: wholeNumber(1, 100_000, 200),
  TRUSTED_PROXIES: z
    .string()
    .default('')
    .transform((value) => value.split(',').flatMap((each) => each.trim() || []))
    .refine((networks) => networks.every(isNetwork), {
      error: 'expected addresses or networks separated by commas: 10.0.0.7,10.1.0.0/16',
    }),
};

/** The limit of each caller, by its variables. Undefined if RATE_LIMIT_PER_SECOND is 0, which means no limit. */
export function rateLimitOf({
  RATE_LIMIT_PER_SECOND: perSecond,
  RATE_LIMIT_BURST: burst,
  TRUSTED_PROXIES: trustedProxies,
}: z.output<z.ZodObject<typeof rateLimitVariables>>): RateLimit | undefined {
  return perSecond === 0 ? undefined : new RateLimit({ perSecond, burst, trustedProxies });
}

/** Names of this machine, in lower case. */
export const hostNames = z
  .string()
  .default('')
  .transform((names) => names.split(',').flatMap((each) => each.trim().toLowerCase() || []))
  .refine((names) => names.every((name) => /^[a-z0-9.-]+$/.test(name)), {
    error: 'expected host names without ports, separated by commas',
  });

/** Whether a server refuses requests of web pages, and what names it has. See `allowedHostsOf`. */
export const webPageVariables = { AUTHENTICATION: oneOf(['jwt', 'none'], 'jwt'), ALLOWED_HOSTS: hostNames };

/** The names under which a server that lets everybody call is reached. Undefined if tokens protect it: any name will do. */
export function allowedHostsOf({
  AUTHENTICATION: kind,
  ALLOWED_HOSTS: names,
}: z.output<z.ZodObject<typeof webPageVariables>>): readonly string[] | undefined {
  return kind === 'none' ? names : undefined;
}

/**
 * The variables of a container's HTTP server: where it listens, how long it waits for callers, and how long a stop waits
 * for running requests. With the host 127.0.0.1 only its own machine reaches it. It serves functions only if
 * FUNCTIONS_PORT is set, and health at a port of its own if HEALTH_PORT is.
 *
 * @param initialPort - the default of PORT
 */
export function serverVariables(initialPort: number) {
  return z
    .object({
      HOST: text('an address to listen at').default('127.0.0.1'),
      PORT: port(initialPort),
      HEALTH_PORT: port(initialPort).unwrap().optional(),
      ...functionsServer,
      ...rateLimitVariables,
      ...webPageVariables,
      DRAIN_TIMEOUT_SECONDS: wholeNumber(1, 3600, 60),
      ...httpTimeouts,
    })
    .superRefine(checkHttpTimeouts)
    .superRefine(checkFunctionsServer)
    .transform((environment) => ({
      host: environment.HOST,
      port: environment.PORT,
      healthPort: environment.HEALTH_PORT,
      rateLimit: rateLimitOf(environment),
      allowedHosts: allowedHostsOf(environment),
      functionsPort: environment.FUNCTIONS_PORT,
      functionsNetwork: environment.FUNCTIONS_NETWORK,
      functionsToken: environment.FUNCTIONS_TOKEN ?? environment.FUNCTIONS_TOKEN_FILE,
      drainTimeoutSeconds: environment.DRAIN_TIMEOUT_SECONDS,
      keepAliveSeconds: environment.HTTP_KEEP_ALIVE_SECONDS,
      requestTimeoutSeconds: environment.HTTP_REQUEST_TIMEOUT_SECONDS,
    }));
}
