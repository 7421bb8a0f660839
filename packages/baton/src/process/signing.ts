// Reads the keys that sign messages and rows from the environment.
import { createSecretKey, type KeyObject } from 'node:crypto';
import * as z from 'zod';
import { oneOf, textFile } from './config.ts';

/** A key, by the id that its signatures name. */
export interface SigningKey {
  readonly id: string;
  readonly key: KeyObject;
}

/** How a process signs and checks. */
export interface Signing {
  /** The first one signs. All verify. */
  readonly keys: readonly SigningKey[];
  /** Whether a message or row without a valid signature is refused. Otherwise it is only logged. */
  readonly required: boolean;
}

const EXPECTED =
  'expected id:key, or several separated by commas; each id once, each key at least 32 bytes in base64 (openssl rand -base64 32)';
/** 32 bytes are 43 characters of base64, without padding. */
const ENTRY = String.raw`[\w.-]{1,64}:[\w+/-]{43,}={0,2}`;

const keys = z
  .string()
  .regex(new RegExp(`^${ENTRY}(,${ENTRY})*$`), { error: EXPECTED })
  .transform((text): SigningKey[] =>
    text.split(',').map((entry) => {
      const [id = '', key = ''] = entry.split(':');
      return { id, key: createSecretKey(key, 'base64') };
    }),
  )
  .refine((list) => new Set(list.map(({ id }) => id)).size === list.length, { error: EXPECTED });

/** The variables of signing. Undefined without keys: then nothing is signed or checked. */
export const signing = z
  .object({
    TASK_SIGNING_KEYS: keys.optional(),
    TASK_SIGNING_KEYS_FILE: textFile().pipe(keys).optional(),
    TASK_SIGNING: oneOf(['require', 'accept'], 'require').unwrap().optional(),
  })
  .transform((variables, context): Signing | undefined => {
    const { TASK_SIGNING: mode, TASK_SIGNING_KEYS: list = variables.TASK_SIGNING_KEYS_FILE } = variables;
    if (list) return { keys: list, required: mode !== 'accept' };
    // Otherwise a process whose keys were forgotten would accept everything
    if (mode)
      context.addIssue({
        code: 'custom',
        path: ['TASK_SIGNING_KEYS'],
        message: `${EXPECTED}, because TASK_SIGNING is ${mode}`,
      });
    return undefined;
  });
