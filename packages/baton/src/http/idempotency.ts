import { createHash } from 'node:crypto';
import { v5 as uuidv5, v7 as uuidv7 } from 'uuid';
import { Problem } from './problem.ts';

const MAX_KEY_CHARACTERS = 255;
/** What the header may hold: a String of RFC 8941, with its quotes or without. */
const PRINTABLE = /^[\x20-\x7E]+$/;

/**
 * The id of the thing that a request makes: of the same key always the same, of no key a new uuid v7.
 *
 * @param namespace - a uuid of the caller's, so that one key may be used with several routes
 * @throws Problem 400 when the `Idempotency-Key` header is not 1 to 255 printable ASCII characters
 */
export function idOfRequest(
  headers: Readonly<Record<string, string | undefined>>,
  namespace: string,
): string {
  const key = headers['idempotency-key'];
  if (key === undefined) return uuidv7();
  if (key.length <= MAX_KEY_CHARACTERS && PRINTABLE.test(key)) return uuidv5(key, namespace);
  throw new Problem('invalid-request', {
    detail: `The Idempotency-Key is not 1 to ${MAX_KEY_CHARACTERS} printable ASCII characters.`,
  });
}

/** A digest by which a repeated request is told from another one. Give it the checked body, whose members have one order. */
export function hashOfRequest(body: unknown): string {
  return createHash('sha256').update(JSON.stringify(body)).digest('base64url');
}
