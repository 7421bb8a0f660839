// Keys of signatures, for tests.
import { createSecretKey, randomBytes } from 'node:crypto';
import type { SigningKey } from '../../src/process/signing.ts';

/** Makes a key under an id. */
export function signingKey(id: string): SigningKey {
  return { id, key: createSecretKey(randomBytes(32)) };
}
