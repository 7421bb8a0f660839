import { createHmac, createSecretKey, hash, type KeyObject } from 'node:crypto';

type Bytes = string | Uint8Array | ArrayBuffer | ArrayBufferView;

/** The signing keys of a day; the SDK hands the same objects out again. */
const MAX_KEYS = 50;
const keys = new Map<Bytes, HmacKey>();

/**
 * SHA-256 and HMAC-SHA-256 as the SDK's signer uses them, two of each a request. Its own makes a key object from
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
    return keyOf(this.#secret).digest(this.#data);
  }

  reset(): void {
    this.#data = new Uint8Array();
  }
}

/** A secret, and the last that was made with it: one of the two in a request is that of the same access key's id. */
class HmacKey {
  readonly #key: KeyObject;
  #data: Uint8Array | undefined;
  #digest: Uint8Array = new Uint8Array();

  constructor(secret: Bytes) {
    this.#key = createSecretKey(typeof secret === 'string' ? Buffer.from(secret) : bytesOf(secret));
  }

  digest(data: Uint8Array): Uint8Array {
    if (!this.#data || Buffer.compare(this.#data, data) !== 0) {
      this.#digest = createHmac('sha256', this.#key).update(data).digest();
      this.#data = data;
    }
    return this.#digest;
  }
}

function bytesOf(secret: Exclude<Bytes, string>): Uint8Array {
  return Buffer.from(secret as Uint8Array);
}

function keyOf(secret: Bytes): HmacKey {
  const known = keys.get(secret);
  if (known) return known;
  if (keys.size >= MAX_KEYS) keys.clear();
  const key = new HmacKey(secret);
  keys.set(secret, key);
  return key;
}
