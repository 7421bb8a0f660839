// The environment of the embedded runtime.
import { secretsOf } from '../deploy/secrets.ts';
import type { Part } from '../stack/part.ts';

/** A variable whose value is a parameter of the deploy. */
const PARAMETER = /^\$\{param:([^,}]+)/;
const DUMMY_CREDENTIALS = { AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' };

/** The endpoints of the embedded runtime. */
export interface Endpoints {
  readonly sqs: string;
  readonly dynamoDb: string;
  readonly lambda: string;
  readonly region: string;
}

/**
 * Points this process's AWS SDK at the emulators. Replaces the user's credentials, so that nothing here can reach their
 * account.
 */
export function pointSdkAt({ sqs, dynamoDb, lambda, region }: Endpoints): void {
  for (const name of ['AWS_PROFILE', 'AWS_SESSION_TOKEN', 'AWS_ENDPOINT_URL']) delete process.env[name];
  Object.assign(process.env, {
    ...DUMMY_CREDENTIALS,
    AWS_REGION: region,
    AWS_ENDPOINT_URL_SQS: sqs,
    AWS_ENDPOINT_URL_DYNAMODB: dynamoDb,
    AWS_ENDPOINT_URL_LAMBDA: lambda,
  });
}

/**
 * Sets variables that a deploy fills in from a parameter to the `local` value of the parameter, unless the deploy's
 * parameter or the user's environment has a value. A secret is the user's own, or such a `local` value.
 *
 * @param functions - of the stack, by name
 * @param parts - the contents of each functions.yml
 * @param own - the user's environment
 */
export function fillInParameters(
  functions: Readonly<Record<string, { readonly environment?: Record<string, unknown> }>>,
  parts: readonly Part[],
  own: Readonly<Record<string, string | undefined>> = process.env,
): void {
  for (const part of parts)
    for (const [name, { environment: described = {}, access }] of Object.entries(part.functions ?? {})) {
      const environment = functions[name]?.environment ?? {};
      for (const [variable, value] of Object.entries(described)) {
        const parameter = part.parameters?.[PARAMETER.exec(String(value))?.[1] ?? ''];
        if (typeof parameter === 'object' && environment[variable] === '' && !own[variable])
          environment[variable] = parameter.local;
      }
      for (const [variable, parameterName] of Object.entries(secretsOf(access))) {
        const parameter = part.parameters?.[parameterName];
        const local = typeof parameter === 'object' ? parameter.local : '';
        environment[variable] ||= own[variable] || local;
      }
    }
}

/**
 * Sets variables of the stack that only AWS could fill in (`!Sub`, `!Ref`), for the functions and for this process. If the
 * stack leaves a variable empty, because a deploy gets its value, the user's own value is used, from `.env` or the shell.
 *
 * @param environments - the provider's environment and each function's
 * @param own - the user's environment
 * @throws Error listing the variables that have no local value
 */
export function fillIn(
  environments: readonly Record<string, unknown>[],
  local: Readonly<Record<string, string>>,
  own: Readonly<Record<string, string | undefined>> = process.env,
): void {
  const missing = new Set<string>();
  for (const environment of environments) {
    for (const [name, value] of Object.entries(environment)) {
      if (name in local) environment[name] = local[name];
      else if (value === '') environment[name] = own[name] ?? '';
      else if (typeof value === 'object' && value !== null) missing.add(name);
    }
  }
  if (missing.size > 0) {
    throw new Error(
      `Only AWS can fill in ${[...missing].join(', ')}: expected variables that the embedded runtime has a value for`,
    );
  }
  Object.assign(process.env, local);
}
