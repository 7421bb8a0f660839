import { createHmac, createSecretKey, hash, type KeyObject } from 'node:crypto';

type Bytes = string | Uint8Array | ArrayBuffer | ArrayBufferView;

/** The signing keys of a day; the SDK hands the same objects out again. */
const MAX_KEYS = 50;
const keys = new Map<Bytes, KeyObject>();

/**
 * SHA-256 and HMAC-SHA-256 as the SDK's signer uses them, three of each a request. Its own makes a key object from
 * the same secret each time and a hash that may be gone on with, which takes twice the time.
 */
export class Sha256 {
  readonly #secret: Bytes | undefined;
  #data: Uint8Array = new Uint8Array();

  /** @param secret - of an HMAC; without one it is a plain hash */
  constructor(secret?: Bytes) {
    this.#secret = secret;
  }

  update(data: Uint8Array): void {
    this.#data = this.#data.length === 0 ? data : Buffer.concat([this.#data, data]);
  }

  async digest(): Promise<Uint8Array> {
    if (this.#secret === undefined) return hash('sha256', this.#data, 'buffer');
    return createHmac('sha256', keyOf(this.#secret)).update(this.#data).digest();
  }

  reset(): void {
    this.#data = new Uint8Array();
  }
}

function keyOf(secret: Bytes): KeyObject {
  const known = keys.get(secret);
  if (known) return known;
  if (keys.size >= MAX_KEYS) keys.clear();
  const bytes = typeof secret === 'string' ? Buffer.from(secret) : Buffer.from(secret as Uint8Array);
  const key = createSecretKey(bytes);
  keys.set(secret, key);
  return key;
}
