// Keys of signatures, for tests.
import { createSecretKey, randomBytes } from 'node:crypto';
import type { Signing, SigningKey } from '../../src/aws/signing.ts';

/** Makes a key under an id. */
export function signingKey(id: string): SigningKey {
  return { id, key: createSecretKey(randomBytes(32)) };
}

/** How a process signs that has these keys. */
export function signingBy(keys: readonly SigningKey[], required = true): Signing {
  return { keys: { value: async () => keys, refused: () => undefined }, required };
}
