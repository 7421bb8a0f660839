import { randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { Environment } from '../../process/config.ts';
import { readSigning } from '../signing.ts';

const [one, two] = [randomBytes(32), randomBytes(64)];
const read = (environment: Environment) =>
  readSigning(environment, () => Promise.reject(new Error('no credentials')));
const inBase64 = (key: Buffer) => key.toString('base64');

function fileWith(text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'keys-')), 'keys');
  writeFileSync(file, text);
  return file;
}

test('without keys nothing is signed', () => {
  expect(read({})).toBeUndefined();
  expect(read({ TASK_SIGNING_KEYS: '', TASK_SIGNING: '' })).toBeUndefined();
});

test.each([
  ['in the variable', (text: string) => ({ TASK_SIGNING_KEYS: text })],
  ['in a file', (text: string) => ({ TASK_SIGNING_KEYS_FILE: fileWith(`${text}\n`) })],
])('keys %s are read in their order, in both forms of base64', async (_where, environmentOf) => {
  const environment = environmentOf(`2026-11:${inBase64(one)},old_1:${two.toString('base64url')}`);
  const { keys, required } = read(environment) ?? {};
  const list = (await keys?.value()) ?? [];
  expect(list.map(({ id, key }) => [id, key.export()])).toEqual([
    ['2026-11', one],
    ['old_1', two],
  ]);
  expect(required).toBe(true);
});

test('accept is the only word that lets messages without a signature run', () => {
  const keys = { TASK_SIGNING_KEYS: `k1:${inBase64(one)}` };
  expect(read({ ...keys, TASK_SIGNING: 'accept' })?.required).toBe(false);
  expect(read({ ...keys, TASK_SIGNING: 'require' })?.required).toBe(true);
  const reading = () => read({ ...keys, TASK_SIGNING: 'off' });
  expect(reading).toThrow('TASK_SIGNING held "off": expected one of require, accept');
});

test('keys do not show when they are logged', async () => {
  const { keys } = read({ TASK_SIGNING_KEYS: `k1:${inBase64(one)}` }) ?? {};
  expect(JSON.stringify(await keys?.value())).toBe('[{"id":"k1","key":{}}]');
});

test('keys in Secrets Manager are fetched when they are first needed, and a failure names the secret alone', async () => {
  const arn = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:baton/signing-AbCdEf';
  const { keys, required } = read({ TASK_SIGNING_KEYS_SECRET: arn, TASK_SIGNING: 'require' }) ?? {};
  expect(required).toBe(true);
  await expect(keys?.value()).rejects.toThrow(arn);
}, 10_000);

describe('wrong keys stop the start, and the message shows none:', () => {
  const key = inBase64(one);
  test.each([
    ['no id', key],
    ['an id with a space', `k 1:${key}`],
    ['an id twice', `k1:${key},k1:${inBase64(two)}`],
    ['31 bytes', `k1:${inBase64(randomBytes(31))}`],
    ['no base64', `k1:${'?'.repeat(50)}`],
    ['a list with a gap', `k1:${key},`],
    ['an empty key', 'k1:'],
  ])('%s', (_what, keys) => {
    const reading = () => read({ TASK_SIGNING_KEYS: keys });
    expect(reading).toThrow('TASK_SIGNING_KEYS held "***": expected id:key');
    expect(() => read({ TASK_SIGNING_KEYS_FILE: fileWith(keys) })).toThrow(
      /TASK_SIGNING_KEYS_FILE held "[^"]+keys": expected id:key/,
    );
  });

  test('a missing file', () => {
    const reading = () => read({ TASK_SIGNING_KEYS_FILE: '/no/such/file' });
    expect(reading).toThrow('TASK_SIGNING_KEYS_FILE held "/no/such/file": cannot be read: ENOENT');
  });

  test('none, although TASK_SIGNING asks for them', () => {
    const reading = () => read({ TASK_SIGNING: 'require' });
    expect(reading).toThrow('TASK_SIGNING_KEYS is not set: expected id:key');
    expect(reading).toThrow('because TASK_SIGNING is require');
  });
});
