import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { MailServer } from '@baton/notification-service/tests/mail-server';
import { readme } from '../../support/readme.ts';
import { READY, startRuntime } from 'baton-dev/testing/embedded-runtime';
import { freePorts, Program } from 'baton-dev/testing/program';
import { answerTo, curl } from '../readme-curl.ts';

let runtime: Program;
let ports: Record<string, string>;

beforeAll(async () => {
  ports = await freePorts();
  runtime = startRuntime(ports);
  await runtime.says(READY);
}, 40_000);
afterAll(() => runtime.stop());

describe("the README's", () => {
  test('curl gets the answer that the README shows', async () => {
    const { status, location, type, body } = await answerTo(curl.replace(':3000', `:${ports['HTTP_PORT']}`));
    expect(readme).toContain(`HTTP/1.1 ${status} Accepted\n`);
    expect(location).toMatch(/^\/orders\/[0-9a-f-]{36}$/);
    expect(readme).toContain(`content-type: ${type}\n`);
    expect(body).toMatch(/^\{"orderId":"[0-9a-f-]{36}","taskId":"[0-9a-f-]{36}","status":"accepted"\}$/);
  });

  test('curl is the one in the banner', () => {
    expect(runtime.output).toContain(curl.replace(':3000', `:${ports['HTTP_PORT']}`));
  });
});

describe('the demo', () => {
  test('follows orders until every customer is notified', async () => {
    const demo = new Program('examples/demo/main.ts', { HTTP_PORT: ports['HTTP_PORT'] ?? '' }, [
      '--orders',
      '25',
    ]);
    await expect(demo.ended()).resolves.toBe(0);
    expect(demo.output).toMatch(/accepted +25 of 25/);
    expect(demo.output).toMatch(/notified +25 of 25/);
    expect(demo.output).toMatch(/p95 +\d+ ms/);
    expect(demo.output).toContain('Every customer is notified.');
    // Some 250 messages, while other tests run
  }, 60_000);

  test('with --smtp shows the mails that arrived, one for each customer', async () => {
    const own = await freePorts();
    const demo = new Program('examples/demo/main.ts', own, ['--orders', '7', '--smtp']);
    const status = await demo.ended();
    expect([status, demo.output]).toEqual([0, expect.stringMatching(/by +smtp 7/)]);
    expect(demo.output).toMatch(/orders@[\w.-]+ +Your order B-\w{10} +[0-9a-f-]{36}@localhost/);
    expect(demo.output).toContain('and 2 more\n7 mails arrived, one for each customer.');
  });

  test('with --smtp refuses a system that already runs, because it has to start one', async () => {
    const demo = new Program('examples/demo/main.ts', { HTTP_PORT: ports['HTTP_PORT'] ?? '' }, ['--smtp']);
    await expect(demo.ended()).resolves.toBe(1);
    expect(demo.output).toContain('With --smtp the demo has to start it: stop it, or set HTTP_PORT');
  });

  test('starts the system if none runs, sends its mails to the server of SMTP_URL, and stops it at its end', async () => {
    const server = await MailServer.start();
    const own = await freePorts();
    const demo = new Program(
      'examples/demo/main.ts',
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
    ['a missing mail', ['n-1'], '1 missing, 0 doubled, 0 of nobody'],
    ['a mail that came twice', ['n-1', 'n-2', 'n-2'], '0 missing, 1 doubled, 0 of nobody'],
    ['a mail without an order', ['n-1', 'n-2', 'n-3'], '0 missing, 0 doubled, 1 of nobody'],
  ])('finds fault with %s', async (_what, ids, says) => {
    const mails = ids.map((id) => ({ to: 'a@b', subject: 'c', messageId: `${id}@localhost` }));
    const followed = ['n-1', 'n-2'].map((notificationId) => ({ notified: true, notificationId }));
    const lists = `${JSON.stringify(mails)}, ${JSON.stringify(followed)}`;
    const script = `import { printMails } from './examples/demo/mail-report.ts'; process.exit(printMails(${lists}))`;
    const report = new Program('--input-type=module', {}, ['--eval', script]);
    await expect(report.ended()).resolves.toBe(1);
    expect(report.output).toContain(says);
  });

  test.each([
    [['--orders', 'many'], '--orders takes a whole number from 1 to 10000.'],
    [['--colour'], "Unknown option '--colour'"],
    [['--url', 'nowhere'], '--url takes a URL'],
  ])('refuses %j and says what it takes', async (args, says) => {
    const demo = new Program('examples/demo/main.ts', {}, args);
    await expect(demo.ended()).resolves.toBe(2);
    expect(demo.output).toContain(says);
    expect(demo.output).toContain('--orders N');
  });
});
