import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { MailServer } from 'baton-dev/testing/mail-server';
import { freePorts, Program } from 'baton-dev/testing/program';
import { answerTo, curl, linesOf, readme } from './support/readme.ts';
import { textOf } from './support/source.ts';

const manifest = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };

let runtime: Program;
let ports: Record<string, string>;

beforeAll(async () => {
  ports = await freePorts();
  runtime = new Program('node_modules/serverless/bin/serverless.js', ports, ['offline']);
  await runtime.says('Try this');
}, 40_000);
afterAll(async () => {
  await runtime.stop();
});

/** The pages whose commands a reader copies. */
const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  'docs/guide.md',
  'docs/demo.md',
  'docs/containers.md',
  'docs/deploy.md',
];

test("the documents' scripts are scripts", () => {
  const scripts = PAGES.flatMap((page) =>
    [...textOf(page).matchAll(/npm (?:run )?(start|test|demo|check|example|images|[a-z]+:[a-z-]+)\b/g)].map(
      ([, name = '']) => name,
    ),
  );
  expect(scripts.length).toBeGreaterThan(15);
  expect(scripts.filter((name) => !(name in manifest.scripts))).toEqual([]);
  expect(manifest.scripts['start']).toBe('serverless offline');
});

test.each([
  ['README.md', ['npm ci && npm start']],
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
  ['docs/deploy.md', ['npm ci', 'npm run package', 'npx serverless deploy --stage dev']],
  ['docs/guide.md', ['npm run new:service payments']],
  ['CONTRIBUTING.md', ['npm ci', 'npm run check']],
])('the commands of %s are the ones that are run here or by CI', (page, commands) => {
  expect(linesOf(page, 'sh').filter((line) => !line.startsWith('curl '))).toEqual(commands);
});

describe("the README's", () => {
  test('curl gets the answer that the README shows', async () => {
    const { status, location, type, body } = await answerTo(curl.replace(':3000', `:${ports['HTTP_PORT']}`));
    expect(readme).toContain(`HTTP/1.1 ${status} Accepted\n`);
    expect(location).toMatch(/^\/orders\/[0-9a-f-]{36}$/);
    expect(readme).toContain(`content-type: ${type}\n`);
    expect(body).toMatch(/^\{"orderId":"[0-9a-f-]{36}","taskId":"[0-9a-f-]{36}","status":"accepted"\}$/);
  });

  test('curl is the one that the banner shows', () => {
    expect(runtime.output).toContain(curl.replace(':3000', `:${ports['HTTP_PORT']}`));
  });
});

test('npm test says at once how many files it runs and by which seed, and at the end what came of them', async () => {
  const args = ['node_modules/jest/bin/jest.js', 'trace-context'];
  const run = new Program('--experimental-vm-modules', { SQS_SEED: '7', SQS_HOSTILE: 'true' }, args);
  await expect(run.ended()).resolves.toBe(0);
  const [first, ...others] = run.output.split('\n').filter((line) => !/Warning|trace-warnings/.test(line));
  expect(first).toBe('Files of tests to run: 1, with SQS_SEED=7 SQS_HOSTILE=true');
  expect(others.some((line) => /^\d+ passed, 0 failed$/.test(line))).toBe(true);
});

describe('the demo', () => {
  test('follows orders until every customer is notified', async () => {
    const demo = new Program('examples/demo.ts', { HTTP_PORT: ports['HTTP_PORT'] ?? '' }, [
      '--orders',
      '120',
    ]);
    await expect(demo.ended()).resolves.toBe(0);
    expect(demo.output).toMatch(/accepted +120 of 120/);
    expect(demo.output).toMatch(/notified +120 of 120/);
    expect(demo.output).toMatch(/p95 +\d+ ms/);
    expect(demo.output).toContain('Every customer is notified.');
    // Some 1,200 messages, while other tests run
  }, 60_000);

  test('with --smtp shows the mails that arrived, one for each customer', async () => {
    const own = await freePorts();
    const demo = new Program('examples/demo.ts', own, ['--orders', '7', '--smtp']);
    const status = await demo.ended();
    expect([status, demo.output]).toEqual([0, expect.stringMatching(/by +smtp 7/)]);
    expect(demo.output).toMatch(/orders@[\w.-]+ +Your order B-\w{10} +[0-9a-f-]{36}@localhost/);
    expect(demo.output).toContain('and 2 more\n7 mails arrived, one for each customer.');
  });

  test('with --smtp says that it has to start the system itself, where one runs', async () => {
    const demo = new Program('examples/demo.ts', { HTTP_PORT: ports['HTTP_PORT'] ?? '' }, ['--smtp']);
    await expect(demo.ended()).resolves.toBe(1);
    expect(demo.output).toContain('With --smtp the demo has to start it: stop it, or set HTTP_PORT');
  });

  test('starts the system itself where none runs, with its mails to the server of SMTP_URL, and stops it again', async () => {
    const server = await MailServer.start();
    const own = await freePorts();
    const demo = new Program(
      'examples/demo.ts',
      { ...own, SMTP_URL: server.url, SMTP_FROM: 'The Shop <shop@shop.example>' },
      ['--orders', '3'],
    );
    const status = await demo.ended();
    await server.stop();
    expect([status, demo.output]).toEqual([0, expect.stringMatching(/notified +3 of 3/)]);
    expect(demo.output).toContain('The mails are at the SMTP server');
    expect(server.mails.map(({ headers }) => headers['from'])).toEqual(
      Array.from({ length: 3 }, () => 'The Shop <shop@shop.example>'),
    );
    await expect(fetch(`http://127.0.0.1:${own['HTTP_PORT']}/orders`)).rejects.toThrow('fetch failed');
  });

  test.each([
    ['no mail where one was due', ['n-1'], '1 missing, 0 doubled, 0 of nobody'],
    ['a mail that came twice', ['n-1', 'n-2', 'n-2'], '0 missing, 1 doubled, 0 of nobody'],
    ['a mail of nobody', ['n-1', 'n-2', 'n-3'], '0 missing, 0 doubled, 1 of nobody'],
  ])('finds fault with %s', async (_what, ids, says) => {
    const mails = ids.map((id) => ({ to: 'a@b', subject: 'c', messageId: `${id}@localhost` }));
    const followed = ['n-1', 'n-2'].map((notificationId) => ({ notified: true, notificationId }));
    const lists = `${JSON.stringify(mails)}, ${JSON.stringify(followed)}`;
    const script = `import { printMails } from './examples/mail-report.ts'; process.exit(printMails(${lists}))`;
    const report = new Program('--input-type=module', {}, ['--eval', script]);
    await expect(report.ended()).resolves.toBe(1);
    expect(report.output).toContain(says);
  });

  test.each([
    [['--orders', 'many'], '--orders takes a whole number from 1 to 10000.'],
    [['--colour'], "Unknown option '--colour'"],
    [['--url', 'nowhere'], '--url takes a URL'],
  ])('refuses %j and says what it takes', async (args, says) => {
    const demo = new Program('examples/demo.ts', {}, args);
    await expect(demo.ended()).resolves.toBe(2);
    expect(demo.output).toContain(says);
    expect(demo.output).toContain('--orders N');
  });
});
