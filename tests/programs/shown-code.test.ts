import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { defineTask } from 'baton-tasks';
import { parameterNames } from 'baton-dev/deploy/parameters';
import { newFiles } from 'baton-dev/new-service/template';
import { Repository } from 'baton-dev/sources/repository';
import { readYaml } from 'baton-dev/stack/cloudformation-yaml';
import { describeStack } from 'baton-dev/stack/described-stack';
import { readPart, readSharedPart } from 'baton-dev/stack/part';
import { sourceQueues } from 'baton-dev/stack/queues';
import type { Resources } from 'baton-dev/stack/resources';
import { Program } from 'baton-dev/testing/program';
import * as z from 'zod';
import { blocksOf, linesOf, readme } from '../support/readme.ts';

const repository = new Repository();

/** The code that the guide quotes: the examples, and the service from the scaffold. */
async function shownCode(): Promise<string> {
  const examples = [
    'reports.ts',
    'tracked-tasks.ts',
    'payments.ts',
    'payment-list/store.ts',
    'tests/reports.test.ts',
  ].map((file) => repository.textOf(`examples/${file}`));
  const service = await newFiles('.', { plural: 'payments', singular: 'payment' }, 8999);
  return [...examples, ...service.map(({ text }) => text)].join('\n');
}

describe('the code', () => {
  test('at the start of the README is examples/greeting.ts, and prints what the README says', async () => {
    expect(readme).toContain(`\`\`\`ts\n${repository.textOf('examples/greeting.ts')}\`\`\``);
    const program = new Program('examples/run.ts', {}, ['greeting']);
    await expect(program.ended()).resolves.toBe(0);
    expect(program.output.trim()).toBe('Hello, Ada!');
    expect(readme).toMatch(/prints\s+`Hello, Ada!`/);
  });

  test('of the guide comes from the examples and the scaffold', async () => {
    const code = await shownCode();
    const lines = linesOf('docs/guide.md', 'ts').map((line) => line.trim());
    expect(lines.length).toBeGreaterThan(50);
    expect(lines.filter((line) => !code.includes(line))).toEqual([]);
  });

  test('of examples/tracked-tasks.ts runs to its end', async () => {
    const program = new Program('examples/run.ts', {}, ['tracked-tasks']);
    await expect(program.ended()).resolves.toBe(0);
    expect(program.output.trim().split('\n')).toEqual([
      'running 1 counted "a"',
      '5 words',
      'cancelled',
      'text-1 cancelled',
      '3 words',
      '3',
      '2026-11-24T02:00:00.000Z',
    ]);
  });
});

describe('the functions.yml', () => {
  test('of the list in the guide is the one of the example', () => {
    const [shown = ''] = blocksOf('docs/guide.md', 'yml');
    const lines = (text: string) =>
      text
        .trim()
        .split('\n')
        .map((line) => line.trim());
    const example = lines(repository.textOf('examples/payment-list/functions.yml'));
    expect(example.slice(-lines(shown).length)).toEqual(lines(shown));
  });

  test('of the reference comes from the scaffold', async () => {
    const [shown = ''] = blocksOf('docs/reference.md', 'yml');
    const code = await shownCode();
    const lines = shown.split('\n').filter((line) => !code.includes(line));
    expect(lines).toEqual([]);
  });

  test('of the reference declares the parameter that it uses', async () => {
    const [, shown = ''] = blocksOf('docs/reference.md', 'yml');
    const root = await mkdtemp(join(tmpdir(), 'shown-'));
    const folder = 'functions/payments-service';
    await mkdir(join(root, folder), { recursive: true });
    await writeFile(join(root, folder, 'functions.yml'), shown);
    const part = readPart(folder, 'dev', root);
    await rm(root, { recursive: true });
    expect(parameterNames(new Map([[folder, part]]))).toContain('provider-url');
  });

  test("of the worker, with the guide's queue, serves that queue with a sufficient visibility timeout", () => {
    const countWords = defineTask({
      name: 'reports.count-words',
      queue: 'reports',
      payload: z.object({}),
      result: z.object({}),
      retry: { maxAttempts: 5, baseSeconds: 5 },
      timeoutSeconds: 60,
    });
    const [, shown = ''] = blocksOf('docs/guide.md', 'yml');
    const Resources = readYaml(shown.replaceAll('${sls:stage}', 'dev'), 'docs/guide.md') as Resources;
    const parts = [readPart('worker', 'dev'), readSharedPart('dev'), { resources: { Resources } }];
    const contracts = [countWords];
    const stack = describeStack({ parts, contracts, implemented: contracts, stage: 'dev' });
    const { events, timeout = 0 } = stack.functions['worker'] ?? {};
    expect(events).toMatchObject([{ sqs: { arn: { 'Fn::GetAtt': ['ReportsQueue', 'Arn'] } } }]);
    const queue = sourceQueues(stack.resources).find(({ id }) => id === 'ReportsQueue');
    expect(queue).toMatchObject({
      name: 'baton-dev-reports',
      deadLetters: { name: 'baton-dev-reports-dlq' },
    });
    expect(Number(queue?.properties['VisibilityTimeout'])).toBe(6 * timeout);
    expect(repository.textOf('docs/guide.md')).toContain(`has ${timeout} s, so it is ${6 * timeout}.`);
  });
});
