import type { ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from 'baton-dev/testing/eventually';
import { endGroup, RepositoryCopy } from '../support/repository-copy.ts';
import { freePorts } from 'baton-dev/testing/program';

const LONG_MS = 300_000;
const NEW = [
  '?? common/contracts/released/unicorns.record-end.json',
  '?? common/contracts/released/unicorns.record.json',
  '?? common/contracts/unicorns.ts',
  '?? functions/unicorns-service/',
];
/** Shared lists of all services and contracts. */
const LISTS = [
  ' M .env.example',
  ' M common/contracts/all.ts',
  ' M docker-compose.localstack.yml',
  ' M package-lock.json',
];

const CONTRACT = `import { defineTask } from 'baton-tasks';
import * as z from 'zod';

/** Counts the words of a text. */
export const countWords = defineTask({
  name: 'reports.count-words',
  queue: 'reports',
  payload: z.object({ text: z.string() }),
  result: z.object({ words: z.int() }),
  retry: { maxAttempts: 4, baseSeconds: 5 },
  timeoutSeconds: 20,
});
`;
const IMPLEMENTATION = `import { implement } from 'baton-tasks';
import { countWords } from '../contracts/reports.ts';

/** Counts the words of a text. */
export const countWordsTask = implement(countWords, async ({ text }) => ({ words: text.split(' ').length }));
`;

let copy: RepositoryCopy;
let made: Awaited<ReturnType<RepositoryCopy['run']>>;

beforeAll(async () => {
  copy = await RepositoryCopy.make();
  made = await copy.run('npm', 'run', 'new:service', 'unicorns');
}, LONG_MS);
afterAll(() => copy.remove());

describe('npm run new:service unicorns', () => {
  test('creates a service, and changes no file of another service', async () => {
    expect(made).toMatchObject({ exitCode: 0 });
    await expect(copy.changes()).resolves.toEqual([...LISTS, ...NEW]);
    const { output } = await copy.run('git', 'diff', '--numstat', ...LISTS.map((line) => line.slice(3)));
    expect(output.split('\n').filter((line) => line !== '' && line.split('\t')[1] !== '0')).toEqual([]);
  });

  test.each([
    ['types', 'types'],
    ['lint', 'lint'],
    ['format', 'format:check'],
  ])(
    'passes %s',
    async (_what, script) => {
      await expect(copy.run('npm', 'run', script)).resolves.toMatchObject({ exitCode: 0 });
    },
    LONG_MS,
  );

  test(
    "passes its own tests and the repository's rules",
    async () => {
      const patterns = [
        'functions/unicorns-service',
        'copy-rules',
        'tests/rules',
        'contract-guard',
        'deploy',
        'dockerfile',
      ];
      const { output, exitCode } = await copy.run('npm', 'test', '--', ...patterns);
      expect(output).toContain('PASS functions/unicorns-service/tests/api.test.ts');
      expect(output).toContain('PASS functions/unicorns-service/tests/callers.test.ts');
      expect(output).toContain('PASS functions/unicorns-service/tests/handlers.test.ts');
      expect([exitCode, exitCode === 0 ? '' : output]).toEqual([0, '']);
    },
    LONG_MS,
  );

  test(
    'refuses an existing name and invalid names, and then writes nothing',
    async () => {
      const before = await copy.changes();
      for (const [words, says] of [
        [['unicorns'], 'functions/unicorns-service exists already'],
        [['Refunds'], '"Refunds" cannot be the name of a service: expected 3 to 20 lower-case letters'],
        [[], 'Expected one name, got 0'],
        [['refunds', 'credits'], 'Expected one name, got 2'],
        [['refunds', '--plural', 'x'], "Unknown option '--plural'"],
      ] as const) {
        const refused = await copy.run('npm', 'run', '--silent', 'new:service', '--', ...words);
        expect(refused).toMatchObject({ exitCode: 1, output: expect.stringContaining(says) as unknown });
        expect(refused.output).not.toContain('    at ');
      }
      await expect(copy.changes()).resolves.toEqual(before);
    },
    LONG_MS,
  );

  test(
    'creates a service that accepts and records a unicorn under npm start',
    async () => {
      const ports = await freePorts();
      const url = `http://127.0.0.1:${ports['HTTP_PORT']}`;
      const runtime: ChildProcess = copy.start('start', ports);
      const json = async (response: Response) => (await response.json()) as Record<string, unknown>;
      try {
        const post = () =>
          fetch(`${url}/unicorns`, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: '{"reference":"r-1"}',
          });
        await eventually(
          'an accepted unicorn',
          () =>
            post().then(
              ({ status }) => status === 202,
              () => false,
            ),
          60_000,
        );
        const response = await post();
        const { unicornId, status } = await json(response);
        expect([response.status, status]).toEqual([202, 'accepted']);
        const find = async () => json(await fetch(url + String(response.headers.get('location'))));
        await eventually('a recorded unicorn', async () => (await find())['status'] === 'recorded', 30_000);
        await expect(find()).resolves.toMatchObject({ unicornId, reference: 'r-1' });
      } finally {
        await endGroup(runtime);
      }
    },
    LONG_MS,
  );
});

describe('a task on a queue of its own, which the worker is given as the guide says', () => {
  test(
    'breaks no rule, and no test of the tools: they have trees of their own',
    async () => {
      const [all, contracts, stack, guide] = await Promise.all(
        ['common/tasks/all.ts', 'common/contracts/all.ts', 'worker/functions.yml', 'docs/guide.md'].map(
          (path) => copy.textOf(path),
        ),
      );
      const [, queues = ''] = /```yml\n(ReportsQueue:\n[^]*?)```/.exec(guide ?? '') ?? [];
      const texts = {
        'common/contracts/reports.ts': CONTRACT,
        'common/tasks/count-words.ts': IMPLEMENTATION,
        'common/contracts/all.ts': `import { countWords } from './reports.ts';\n${contracts?.replace(/allContracts\b[^=]*= \[/, '$&countWords, ')}`,
        'common/tasks/all.ts': `import { countWordsTask } from './count-words.ts';\n${all?.replace(/allTasks\b[^=]*= \[/, '$&countWordsTask, ')}`,
        'worker/functions.yml':
          stack?.replace(/^ {2}Resources:\n/m, `$&${queues.replaceAll(/^(?=.)/gm, '    ')}\n`) ?? '',
      };
      for (const [path, text] of Object.entries(texts)) writeFileSync(join(copy.path, path), text);
      await expect(copy.run('npm', 'run', 'contracts')).resolves.toMatchObject({ exitCode: 0 });
      const patterns = ['tests/rules', 'packages/baton-dev/src/(rules|stack|deploy|contract-guard)'];
      const { output, exitCode } = await copy.run('npm', 'test', '--', ...patterns);
      expect(queues).toContain('ReportsDeadLetters');
      expect([exitCode, exitCode === 0 ? '' : output]).toEqual([0, '']);
    },
    LONG_MS,
  );
});
