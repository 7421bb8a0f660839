import { expect, test } from '@jest/globals';
import { Repository } from 'baton-dev/sources/repository';
import { Program } from 'baton-dev/testing/program';
import { linesOf } from '../support/readme.ts';

const repository = new Repository();
const { scripts: known = {} } = repository.manifestAt('package.json');

/** The pages whose commands a reader copies. */
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  ...repository.files.filter((path) => /^docs\/.*\.md$/.test(path)),
];

test('every npm script in the documents exists', () => {
  const scripts = pages.flatMap((page) =>
    [
      ...repository
        .textOf(page)
        .matchAll(/npm (?:run )?(start|test|demo|check|example|images|[a-z]+:[a-z-]+)\b/g),
    ].map(([, name = '']) => name),
  );
  expect(scripts.length).toBeGreaterThan(15);
  expect(scripts.filter((name) => !(name in known))).toEqual([]);
  expect(known['start']).toBe('serverless offline');
});

test.each([
  [
    'README.md',
    [
      'npm ci && npm start',
      'npx serverless deploy --stage dev --param="jwt-issuer=https://login.example.com" --param="jwt-audience=my-api"',
    ],
  ],
  [
    'docs/containers.md',
    [
      'docker compose -f docker-compose.localstack.yml build',
      'docker compose -f docker-compose.localstack.yml up --detach --wait',
      'docker compose -f docker-compose.localstack.yml down',
      'docker build -f worker/Dockerfile --target server -t baton/worker .',
      'docker build -f functions/task-service/Dockerfile --target lambda -t baton/task-service-lambda .',
    ],
  ],
  [
    'docs/deploy.md',
    [
      'npm ci',
      'npm run package',
      'npx serverless deploy --stage dev --param="jwt-issuer=https://login.example.com" --param="jwt-audience=my-api"',
    ],
  ],
  ['docs/guide.md', ['npm run new:service payments']],
  ['CONTRIBUTING.md', ['npm ci', 'npm run check']],
])('the commands of %s are those that tests or CI run', (page, commands) => {
  expect(linesOf(page, 'sh').filter((line) => !line.startsWith('curl '))).toEqual(commands);
});

test('npm test prints the number of files and the seed at the start, and the results at the end', async () => {
  const args = ['node_modules/jest/bin/jest.js', 'trace-context'];
  const run = new Program('--experimental-vm-modules', { SQS_SEED: '7', SQS_HOSTILE: 'true' }, args);
  await expect(run.ended()).resolves.toBe(0);
  const [first, ...others] = run.output.split('\n').filter((line) => !/Warning|trace-warnings/.test(line));
  expect(first).toBe('Files of tests to run: 1, with SQS_SEED=7 SQS_HOSTILE=true');
  expect(others.some((line) => /^\d+ passed, 0 failed$/.test(line))).toBe(true);
});
