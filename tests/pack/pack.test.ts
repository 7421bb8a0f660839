import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { CreateQueueCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { packLibrary } from 'baton-dev/pack/pack';
import { Repository } from 'baton-dev/sources/repository';
import { publint } from 'publint';
import { type Backends, startBackends } from 'baton-dev/testing/backends';
import { eventually } from 'baton-dev/testing/eventually';
import { freePort } from 'baton-dev/testing/program';
import { OutsideProject } from './outside-project.ts';

const LONG_MS = 120_000;
const TSCONFIG = {
  compilerOptions: {
    target: 'es2024',
    module: 'nodenext',
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    allowImportingTsExtensions: true,
    types: ['node'],
    // Checks the library's declarations and all their imports
    skipLibCheck: false,
  },
};
const repository = new Repository();
/** The program in the library's README. */
const [, program = ''] = /```ts\n([^]*?)```/.exec(repository.textOf('packages/baton/README.md')) ?? [];

let folder: string;
let tarball: string;
let project: OutsideProject;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'baton-pack-'));
  tarball = packLibrary(folder);
  project = await OutsideProject.empty(tarball, ['zod', 'typescript', '@types/node']);
  await project.write('tsconfig.json', JSON.stringify(TSCONFIG));
  await project.write('program.ts', program);
}, LONG_MS);
afterAll(async () => {
  await project?.remove();
  await rm(folder, { recursive: true, force: true });
});

describe('the packed library', () => {
  test('passes publint', async () => {
    const file = await readFile(tarball);
    const { messages } = await publint({ strict: true, pack: { tarball: bufferOf(file) } });
    expect(messages).toEqual([]);
  });

  test('has types for every entry, which TypeScript finds from ES modules', async () => {
    const result = await checkPackage(createPackageFromTarballData(await readFile(tarball)), {
      // A CloudFormation template
      excludeEntrypoints: [/\.yml$/],
    });
    if (result.types === false) throw new Error('the package has no types');
    const { exports } = JSON.parse(repository.textOf('packages/baton/package.json')) as { exports: object };
    const entries = [...Object.keys(exports), './package.json'].filter(
      (entry) => !/\/\*$|\.yml$/.test(entry),
    );
    expect(Object.keys(result.entrypoints).toSorted()).toEqual(entries.toSorted());
    // The library supports only ES modules: no old resolution without `exports`, and no `require`
    const old: ReadonlySet<string> = new Set(['node10', 'node16-cjs']);
    const problems = result.problems.filter(
      (problem) => !('resolutionKind' in problem && old.has(problem.resolutionKind)),
    );
    expect(problems.filter(({ kind }) => kind !== 'CJSResolvesToESM')).toEqual([]);
  });

  test('has a license and a README, but no tests, sources or internal entries', async () => {
    const { output } = await project.run('tar', 'tzf', tarball);
    const paths = output.trim().split('\n');
    expect(paths).toEqual(expect.arrayContaining(['package/LICENSE', 'package/README.md']));
    expect(paths.filter((path) => /\/tests\/|(?<!\.d)\.ts$/.test(path))).toEqual([]);
    await project.write('inside.mjs', "await import('baton-tasks/internal/sqs/envelope');\n");
    const { output: refused } = await project.run('node', 'inside.mjs');
    expect(refused).toContain('ERR_PACKAGE_PATH_NOT_EXPORTED');
  });
});

describe('a project that installs the library', () => {
  test(
    "compiles the program of the library's README",
    async () => {
      await expect(project.run('tsc', '-p', '.')).resolves.toEqual({ exitCode: 0, output: '' });
    },
    LONG_MS,
  );

  test(
    'gets a compiler error for a wrong payload',
    async () => {
      await project.write('program.ts', program.replace("{ name: 'Ada' }", '{ name: 7 }'));
      const { output } = await project.run('tsc', '-p', '.');
      await project.write('program.ts', program);
      expect(output).toContain("Type 'number' is not assignable to type 'string'");
    },
    LONG_MS,
  );

  test(
    'sends a task on an embedded SQS, runs it, and gets its result',
    async () => {
      const backends = await startBackends([]);
      try {
        const queueUrlPrefix = await createQueues(backends, 'greetings');
        const started = project.start('program.ts', {
          ...backends.environment,
          QUEUE_URL_PREFIX: queueUrlPrefix,
          HEALTH_PORT: String(await freePort()),
          WORKER_WAIT_SECONDS: '1',
        });
        let output = '';
        for (const stream of [started.stdout, started.stderr])
          stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
        const ended = () => started.exitCode !== null || started.signalCode !== null;
        await eventually('a greeting', () => output.includes('Hello') || ended()).catch(() => undefined);
        started.kill('SIGTERM');
        await eventually('the end of the program', ended);
        expect(output).toContain("{ text: 'Hello, Ada!' }");
        expect(started.exitCode).toBe(0);
      } finally {
        await backends.stop();
      }
    },
    LONG_MS,
  );
});

/** Creates a queue and its dead-letter queue. Resolves to the prefix of their URLs. */
async function createQueues({ sqs, stage }: Backends, queue: string): Promise<string> {
  const create = (name: string) => sqs.send(new CreateQueueCommand({ QueueName: `baton-${stage}-${name}` }));
  await create(`${queue}-dlq`);
  const { QueueUrl = '' } = await create(queue);
  return QueueUrl.slice(0, -queue.length);
}

function bufferOf({ buffer, byteOffset, byteLength }: Buffer): ArrayBuffer {
  return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
}
