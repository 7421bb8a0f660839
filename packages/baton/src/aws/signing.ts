// Reads from the environment how a process signs messages and rows.
import { createSecretKey, type KeyObject } from 'node:crypto';
import * as z from 'zod';
import { type Environment, oneOf, parseConfigs, sharedVariables } from '../process/config.ts';
import { secretVariables } from './secret-variables.ts';
import type { Secret } from './secret.ts';
import type { SecretsManagerOptions } from './secrets-manager.ts';

/** A key, by the id that its signatures name. */
export interface SigningKey {
  readonly id: string;
  readonly key: KeyObject;
}

/** How a process signs and checks. */
export interface Signing {
  /** The first one signs. All verify. */
  readonly keys: Secret<readonly SigningKey[]>;
  /** Whether a message or row without a valid signature is refused. Otherwise it is only logged. */
  readonly required: boolean;
}

const EXPECTED =
  'expected id:key, or several separated by commas; each id once, each key at least 32 bytes in base64 (openssl rand -base64 32)';
/** 32 bytes are 43 characters of base64, without padding. */
const ENTRY = /^[\w.-]{1,64}:[\w+/-]{43,}={0,2}$/;

const keys = z
  .string()
  .refine((text) => text.split(',').every((entry) => ENTRY.test(entry)), { error: EXPECTED, abort: true })
  .transform((text): readonly SigningKey[] =>
    text.split(',').map((entry) => {
      const [id = '', key = ''] = entry.split(':');
      return { id, key: createSecretKey(key, 'base64') };
    }),
  )
  .refine((list) => new Set(list.map(({ id }) => id)).size === list.length, { error: EXPECTED });

const mode = z
  .looseObject({ TASK_SIGNING: oneOf(['require', 'accept'], 'require').unwrap().optional() })
  .superRefine((given, context) => {
    const { TASK_SIGNING: asked } = given;
    const places = ['', '_FILE', '_SECRET'].map((place) => given[`TASK_SIGNING_KEYS${place}`]);
    if (asked === undefined || places.some((place) => place !== undefined)) return;
    // Otherwise a process whose keys were forgotten would accept everything
    const message = `${EXPECTED}, because TASK_SIGNING is ${asked}`;
    context.addIssue({ code: 'custom', path: ['TASK_SIGNING_KEYS'], message });
  });

/** The schemas of the variables of signing, for `parseConfigs`. `signingOf` takes what they return. */
export const signingSchemas = [
  secretVariables(z.object({ TASK_SIGNING_KEYS: keys.optional() })),
  mode,
] as const;

/** How a process signs, by its variables. Undefined without keys: then nothing is signed or checked. */
export function signingOf(
  open: z.output<(typeof signingSchemas)[0]>,
  { TASK_SIGNING: asked }: z.output<typeof mode>,
  options: SecretsManagerOptions,
): Signing | undefined {
  const { TASK_SIGNING_KEYS: list } = open(options);
  return list && { keys: list, required: asked !== 'accept' };
}

/** Reads only how a process signs. @throws ConfigError that names each wrong variable of signing */
export function readSigning(
  environment: Environment,
  credentials: SecretsManagerOptions['credentials'],
): Signing | undefined {
  const { AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_SECRETS_MANAGER } = sharedVariables;
  const endpoints = z.object({ AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_SECRETS_MANAGER });
  const [open, asked, at] = parseConfigs([...signingSchemas, endpoints], environment);
  const endpoint = at.AWS_ENDPOINT_URL_SECRETS_MANAGER ?? at.AWS_ENDPOINT_URL;
  return signingOf(open, asked, { credentials, endpoint });
}
