import { describe, expect, test } from '@jest/globals';
import { Sha256 } from '../sha256.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const hex = (digest: Uint8Array): string => Buffer.from(digest).toString('hex');

async function digestOf(secret: string | Uint8Array | undefined, ...parts: string[]): Promise<string> {
  const hash = new Sha256(secret);
  for (const part of parts) hash.update(bytes(part));
  return hex(await hash.digest());
}

describe('the hash that signs requests to AWS', () => {
  test("is SHA-256, by the standard's own example", async () => {
    const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    await expect(digestOf(undefined, 'abc')).resolves.toBe(abc);
    await expect(digestOf(undefined, 'a', 'b', 'c')).resolves.toBe(abc);
  });

  test('is the hash of no bytes if it got none, or after a reset', async () => {
    const nothing = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
    const hash = new Sha256();
    hash.update(bytes('abc'));
    hash.reset();
    await expect(digestOf(undefined)).resolves.toBe(nothing);
    expect(hex(await hash.digest())).toBe(nothing);
  });

  test.each([
    ['a text', 'Jefe'],
    ['bytes', bytes('Jefe')],
  ])('is HMAC-SHA-256 if its secret is %s, by test case 2 of RFC 4231', async (_what, secret) => {
    const expected = '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843';
    await expect(digestOf(secret, 'what do ya want for nothing?')).resolves.toBe(expected);
    await expect(digestOf(secret, 'what do ya ', 'want for nothing?')).resolves.toBe(expected);
  });

  test('uses its own secret, however many other secrets were used before', async () => {
    const secrets = Array.from({ length: 200 }, (_, index) => `secret ${index}`);
    const first = await Promise.all(secrets.map((secret) => digestOf(secret, 'x')));
    const second = await Promise.all(secrets.map((secret) => digestOf(secret, 'x')));
    expect(second).toEqual(first);
    expect(new Set(first).size).toBe(secrets.length);
  });
});
