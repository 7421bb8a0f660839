import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { build } from 'esbuild';

test.each(['gateway', 'resources'])(
  'the program %s needs no repository around it, because its image has none',
  async (name) => {
    const { metafile } = await build({
      entryPoints: [fileURLToPath(new URL(`../${name}/main.ts`, import.meta.url))],
      bundle: true,
      write: false,
      metafile: true,
      platform: 'node',
      format: 'esm',
      logLevel: 'silent',
    });
    const files = Object.keys(metafile.inputs);
    expect(files).toEqual(expect.arrayContaining([expect.stringMatching(`containers/${name}/main.ts$`)]));
    expect(files.filter((file) => file.endsWith('stack/root.ts'))).toEqual([]);
  },
);
