import { randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parseConfig } from '../config.ts';
import { signing } from '../signing.ts';

const [one, two] = [randomBytes(32), randomBytes(64)];
const inBase64 = (key: Buffer) => key.toString('base64');

function fileWith(text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'keys-')), 'keys');
  writeFileSync(file, text);
  return file;
}

test('without keys nothing is signed', () => {
  expect(parseConfig(signing, {})).toBeUndefined();
  expect(parseConfig(signing, { TASK_SIGNING_KEYS: '', TASK_SIGNING: '' })).toBeUndefined();
});

test.each([
  ['in the variable', (text: string) => ({ TASK_SIGNING_KEYS: text })],
  ['in a file', (text: string) => ({ TASK_SIGNING_KEYS_FILE: fileWith(`${text}\n`) })],
])('keys %s are read in their order, in both forms of base64', (_where, environmentOf) => {
  const environment = environmentOf(`2026-11:${inBase64(one)},old_1:${two.toString('base64url')}`);
  const { keys, required } = parseConfig(signing, environment) ?? { keys: [] };
  expect(keys.map(({ id, key }) => [id, key.export()])).toEqual([
    ['2026-11', one],
    ['old_1', two],
  ]);
  expect(required).toBe(true);
});

test('accept is the only word that lets messages without a signature run', () => {
  const keys = { TASK_SIGNING_KEYS: `k1:${inBase64(one)}` };
  expect(parseConfig(signing, { ...keys, TASK_SIGNING: 'accept' })?.required).toBe(false);
  expect(parseConfig(signing, { ...keys, TASK_SIGNING: 'require' })?.required).toBe(true);
  const read = () => parseConfig(signing, { ...keys, TASK_SIGNING: 'off' });
  expect(read).toThrow('TASK_SIGNING held "off": expected one of require, accept');
});

test('keys do not show when they are logged', () => {
  const config = parseConfig(signing, { TASK_SIGNING_KEYS: `k1:${inBase64(one)}` });
  expect(JSON.stringify(config)).toBe('{"keys":[{"id":"k1","key":{}}],"required":true}');
});

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
    const read = () => parseConfig(signing, { TASK_SIGNING_KEYS: keys });
    expect(read).toThrow('TASK_SIGNING_KEYS held "***": expected id:key');
    expect(() => parseConfig(signing, { TASK_SIGNING_KEYS_FILE: fileWith(keys) })).toThrow(
      /TASK_SIGNING_KEYS_FILE held "[^"]+keys": expected id:key/,
    );
  });

  test('a missing file', () => {
    const read = () => parseConfig(signing, { TASK_SIGNING_KEYS_FILE: '/no/such/file' });
    expect(read).toThrow('TASK_SIGNING_KEYS_FILE held "/no/such/file": cannot be read: ENOENT');
  });

  test('none, although TASK_SIGNING asks for them', () => {
    const read = () => parseConfig(signing, { TASK_SIGNING: 'require' });
    expect(read).toThrow('TASK_SIGNING_KEYS is not set: expected id:key');
    expect(read).toThrow('because TASK_SIGNING is require');
  });
});
