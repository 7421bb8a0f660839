import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { strFromU8, unzipSync } from 'fflate';
import { bundleFunctions, tableOf } from '../../bundle.ts';

let root: string;

/** A repository whose `npm run bundle` writes one module of a given size, or fails with a message. */
async function repository(bytes: number): Promise<void> {
  const script = `
    const { mkdirSync, writeFileSync } = require('node:fs');
    if (${bytes} === 0) { console.error('No such entry: ' + process.argv[2]); process.exit(1); }
    mkdirSync('.serverless/bundles/a', { recursive: true });
    writeFileSync('.serverless/bundles/a/api.mjs', 'x'.repeat(${bytes}));
    writeFileSync('.serverless/bundles/a/api.mjs.LEGAL.txt', 'MIT');
    writeFileSync('.serverless/bundles/a/api.mjs.map', '{}');`;
  await writeFile(join(root, 'bundle.cjs'), script);
  await writeFile(join(root, 'package.json'), JSON.stringify({ scripts: { bundle: 'node bundle.cjs' } }));
}

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'baton-bundle-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

describe("a function's bundle", () => {
  const functions = { ordersApi: { handler: 'a/api.handler' } };

  test('is one module with the name of its handler, with the licences of others, but without a source map', async () => {
    await repository(1000);
    const [bundle] = await bundleFunctions(root, functions);
    expect(bundle).toMatchObject({
      name: 'ordersApi',
      artifact: '.serverless/ordersApi.zip',
      bundleBytes: 1000,
    });
    const files = unzipSync(await readFile(join(root, bundle?.artifact ?? '')));
    expect(Object.keys(files).toSorted()).toEqual(['a/api.mjs', 'a/api.mjs.LEGAL.txt']);
    expect(strFromU8(files['a/api.mjs'] ?? new Uint8Array())).toBe('x'.repeat(1000));
    expect(tableOf(bundle ? [bundle] : [])).toMatch(/ordersApi\s+│\s+1000 │/);
  });

  test('has the same bytes each time', async () => {
    await repository(1000);
    const made = async () => {
      const [bundle] = await bundleFunctions(root, functions);
      return readFile(join(root, bundle?.artifact ?? ''));
    };
    expect((await made()).equals(await made())).toBe(true);
    expect((await made()).readUInt32LE(10)).toBe(0x21_0000);
  });

  test('over the size limit is refused with its name and size', async () => {
    await repository(1_000_001);
    await expect(bundleFunctions(root, functions)).rejects.toThrow(
      'Bundles are too large: expected at most 1000000 bytes; ordersApi has 1000001',
    );
  });

  test('fails with the message of its bundler', async () => {
    await repository(0);
    await expect(bundleFunctions(root, functions)).rejects.toThrow('No such entry: a/api.ts');
  });
});
