import { writeFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readDemo } from 'baton-dev/demo/demo';
import { namesOf } from 'baton-dev/demo/names';
import { RepositoryCopy } from '../support/repository-copy.ts';

const LONG_MS = 300_000;
/** Words of the demo that must not be left anywhere: names of services, and texts for customers. */
const WORDS = /order-service|notification-service|\borders\.|\bnotifications\.|smtp|nodemailer|cockatiel/i;
/** Files that record measurements or the history of the project. They may name the demo. */
const RECORDS =
  /^(docs\/(performance|reliability|success-criteria)|bench\/|CHANGELOG\.md|package-lock\.json|packages\/.*\/tests\/)/;

let copy: RepositoryCopy;
let removed: Awaited<ReturnType<RepositoryCopy['run']>>;
const remove = (...words: string[]) => copy.run('npm', 'run', '--silent', 'demo:remove', '--', ...words);

beforeAll(async () => {
  copy = await RepositoryCopy.make();
}, LONG_MS);
afterAll(() => copy.remove());

describe('npm run demo:remove', () => {
  test('refuses to run with uncommitted changes or an invalid name', async () => {
    await writeFile(join(copy.path, 'mine.txt'), 'mine');
    await expect(remove()).resolves.toMatchObject({
      exitCode: 1,
      output: expect.stringContaining('Commit or discard them first:\n?? mine.txt') as unknown,
    });
    await rm(join(copy.path, 'mine.txt'));
    await expect(remove('--with', 'Payments')).resolves.toMatchObject({
      exitCode: 1,
      output: expect.stringContaining('"Payments" cannot be the name of a service') as unknown,
    });
    await expect(copy.changes()).resolves.toEqual([]);
  });

  test("refuses to run while the user's code imports the demo, and names the file", async () => {
    const own = join(copy.path, 'functions/task-service/own.ts');
    await writeFile(own, "export { processOrder } from '@baton/common/contracts/orders';\n");
    await copy.commit();
    await expect(remove()).resolves.toMatchObject({
      exitCode: 1,
      output: expect.stringContaining(
        'functions/task-service/own.ts uses common/contracts/orders.ts',
      ) as unknown,
    });
    await rm(own);
    await copy.commit();
    await expect(copy.changes()).resolves.toEqual([]);
  });

  test('with --dry-run prints what it would do, and changes nothing', async () => {
    const { exitCode, output } = await remove('--dry-run');
    expect([exitCode, output]).toEqual([0, expect.stringContaining('To be deleted:\n')]);
    expect(output).toContain('  functions/order-service: ');
    expect(output).toContain('To be changed:\n');
    await expect(copy.changes()).resolves.toEqual([]);
  });

  test(
    'removes the demo, and creates a service with --with',
    async () => {
      const { folders } = await readDemo();
      removed = await remove('--with', 'payments');
      expect(removed).toMatchObject({ exitCode: 0 });
      expect(removed.output).toMatch(
        /\d+ files are deleted, \d+ are changed\. Run "npm run check", then commit\./,
      );
      const { output: files } = await copy.run(
        'git',
        'ls-files',
        '--others',
        '--cached',
        '--exclude-standard',
      );
      const { output: gone } = await copy.run('git', 'ls-files', '--deleted');
      const left = files.split('\n').filter((path) => path !== '' && !gone.split('\n').includes(path));
      expect(left.filter((path) => folders.some((folder) => path.startsWith(`${folder}/`)))).toEqual([]);
      expect(left).toContain('functions/payments-service/api.ts');
      const texts = await Promise.all(
        left
          .filter((path) => !RECORDS.test(path))
          .map(async (path) => ({ path, text: await copy.textOf(path) })),
      );
      expect(texts.filter(({ text }) => WORDS.test(text)).map(({ path }) => path)).toEqual([]);
    },
    LONG_MS,
  );

  test('leaves no name of the demo in stack files, manifests and scripts', async () => {
    const names = namesOf(await readDemo());
    const texts = await Promise.all(
      [
        'docker-compose.localstack.yml',
        'package.json',
        'package-lock.json',
        '.env.example',
        'worker/functions.yml',
      ].map((path) => copy.textOf(path)),
    );
    expect(names.filter((name) => texts.some((text) => text.includes(name)))).toEqual([]);
    const { scripts } = JSON.parse(texts[1] ?? '{}') as { scripts: Record<string, string> };
    expect(
      Object.keys(scripts).filter((name) => /^(demo|demo:remove|test:demo|soak:memory)$/.test(name)),
    ).toEqual([]);
  });

  test('fails if there is no demo any more', async () => {
    const { exitCode, output } = await copy.run('node', 'packages/baton-dev/src/demo/main.ts');
    expect([exitCode, output]).toEqual([1, expect.stringContaining('There is no demo')]);
  });
});

describe('the repository without the demo', () => {
  test.each(['types', 'lint', 'format:check'])(
    'passes %s',
    async (script) => {
      const { exitCode, output } = await copy.run('npm', 'run', script);
      expect([exitCode, exitCode === 0 ? '' : output]).toEqual([0, '']);
    },
    LONG_MS,
  );

  test(
    'passes its tests',
    async () => {
      // Only tests that read the repository's files: the others do not know the demo
      const tools =
        'packages/baton-dev/src/(stack|deploy|containers|contract-guard|new-service|dockerfiles)/';
      const patterns = ['tests/', 'common/', 'functions/', tools].map((each) => `^${copy.path}/${each}`);
      const { output, exitCode } = await copy.run('npm', 'test', '--', ...patterns);
      expect(output).toContain('PASS functions/payments-service/tests/api.test.ts');
      expect([exitCode, exitCode === 0 ? '' : output]).toEqual([0, '']);
    },
    LONG_MS,
  );

  test(
    'starts, and shows only code that runs',
    async () => {
      const { output, exitCode } = await copy.run(
        'npm',
        'run',
        'test:programs',
        '--',
        `^${copy.path}/tests/`,
      );
      expect(output).toContain('PASS tests/programs/embedded.test.ts');
      expect([exitCode, exitCode === 0 ? '' : output]).toEqual([0, '']);
    },
    LONG_MS,
  );
});
