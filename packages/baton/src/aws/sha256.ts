// SHA-256 for the AWS SDK's request signer.
import { createHmac, createSecretKey, hash, type KeyObject } from 'node:crypto';

type Bytes = string | Uint8Array | ArrayBuffer | ArrayBufferView;

/** The number of signing keys that are kept. The SDK reuses the same objects for a day. */
const MAX_KEYS = 50;
const keys = new Map<Bytes, HmacKey>();

/**
 * SHA-256 and HMAC-SHA-256 for the SDK's signer, which needs two of each for a request. The SDK's own class takes twice the
 * time: it makes a new key object of the same secret each time, and a hash that can be continued.
 */
export class Sha256 {
  readonly #secret: Bytes | undefined;
  #data: Uint8Array = new Uint8Array();

  /** @param secret - the secret of an HMAC; left out for a plain hash */
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

/** The key of a secret, and the last digest made with it: one of the two in each request is always the same. */
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
