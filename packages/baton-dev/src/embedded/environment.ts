const DUMMY_CREDENTIALS = { AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' };

/** Where the embedded runtime's parts are found. */
export interface Endpoints {
  readonly sqs: string;
  readonly dynamoDb: string;
  readonly lambda: string;
  readonly region: string;
}

/**
 * Points this process's AWS SDK at the emulators. Credentials of the person at the keyboard are put aside, so that
 * nothing here can reach an account of theirs.
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
 * Sets variables of the stack that only AWS could fill in (`!Sub`, `!Ref`), for the functions and for this process. One
 * that the stack leaves empty, because a deploy is given its value, is the person's own here, from `.env` or the shell.
 *
 * @param environments - the provider's environment and each function's
 * @param own - the person's environment
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
      `Only AWS can fill these variables in; the embedded runtime has no value for them: ${[...missing].join(', ')}`,
    );
  }
  Object.assign(process.env, local);
}
