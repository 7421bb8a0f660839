import { describe, expect, test } from '@jest/globals';
import { packedManifest } from '../manifest.ts';

const own = {
  name: 'a',
  version: '1.2.3',
  exports: {
    '.': './src/index.ts',
    './http': './src/http/index.ts',
    './table.yml': './table.yml',
  },
  dependencies: { '@aws-sdk/client-sqs': '*', pino: '*', zod: '*' },
};
const root = {
  name: 'root',
  version: '0.0.0',
  license: 'MIT',
  dependencies: { '@aws-sdk/client-sqs': '3.1.0', pino: '10.4.0', zod: '4.6.7', other: '1.0.0' },
  devDependencies: { '@types/aws-lambda': '8.1.0' },
};

describe('the package.json of the packed library', () => {
  test('points to built files, and to files that are packed unchanged', () => {
    expect(packedManifest(own, root)).toMatchObject({
      name: 'a',
      version: '1.2.3',
      license: 'MIT',
      type: 'module',
      sideEffects: false,
      files: ['lib', 'table.yml'],
      exports: {
        '.': { types: './lib/index.d.ts', default: './lib/index.js' },
        './http': { types: './lib/http/index.d.ts', default: './lib/http/index.js' },
        './table.yml': './table.yml',
        './package.json': './package.json',
      },
    });
    expect(Object.keys(packedManifest(own, root).exports)).toHaveLength(4);
    expect(packedManifest(own, root)).not.toHaveProperty('private');
  });

  test("has the root's versions: exact for the AWS SDK, compatible for all others, and zod as a peer", () => {
    expect(packedManifest(own, root)).toMatchObject({
      dependencies: { '@aws-sdk/client-sqs': '3.1.0', pino: '^10.4.0', '@types/aws-lambda': '^8.1.0' },
      peerDependencies: { zod: '^4.6.7' },
    });
    expect(Object.keys(packedManifest(own, root).dependencies)).toHaveLength(3);
  });

  test('is refused for a pattern of entries, which would make all files public', () => {
    const open = { ...own, exports: { './internal/*': './src/*.ts' } };
    expect(() => packedManifest(open, root)).toThrow('./internal/*');
  });

  test('is refused for a dependency without a version, and for an entry that is not a source file', () => {
    const unknown = { ...own, dependencies: { unknown: '*' } };
    expect(() => packedManifest(unknown, root)).toThrow(
      "unknown cannot be packed: expected its version in the root's package.json, got undefined",
    );
    const built = { ...own, exports: { './x': './src/x.js' } };
    expect(() => packedManifest(built, root)).toThrow('The entry ./x cannot be packed');
  });
});
