import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { MAX_ORDERS, readOrders } from './orders.ts';
import { followOrders } from './follow-orders.ts';
import { printMails } from './mail-report.ts';
import { startMailServer } from './mail-server.ts';
import { printReport } from './report.ts';
import { ensureRunning } from './running-system.ts';

const USAGE = `npm run demo -- [--orders N] [--url URL] [--smtp]

Posts orders, follows each until its customer is notified, and says how long that took.

  --orders N   how many, 1 to ${MAX_ORDERS} (default 100, those of examples/demo/orders.jsonl)
  --url URL    where the API is (default http://127.0.0.1:3000, or HTTP_PORT's); started if nothing answers there
  --smtp       starts an SMTP server too, sends the mails there, and shows those that arrived
`;

if (existsSync('.env')) process.loadEnvFile('.env');
const options = readOptions();
const orders = readOrders(options.orders);
try {
  process.exitCode = await run();
} catch (error) {
  exitWith(`${Error.isError(error) ? error.message : String(error)}\n`, 1);
}

/** Resolves to the exit status: 1 when an order or a mail is missing, or a mail came twice. */
async function run(): Promise<number> {
  const mailServer = options.smtp ? await startMailServer() : undefined;
  try {
    const system = await ensureRunning(options.url, mailServer && { SMTP_URL: mailServer.url });
    const interrupt = (): void => void system.stop().then(() => process.exit(130));
    process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
    try {
      const followed = await followOrders(options.url, orders);
      const missing = printReport(followed);
      const wrong = mailServer ? printMails(mailServer.mails, followed) : 0;
      if (!mailServer && followed.some(({ deliveredBy }) => deliveredBy === 'smtp'))
        process.stdout.write('The mails are at the SMTP server that the system was started with.\n');
      return missing + wrong > 0 ? 1 : 0;
    } finally {
      await system.stop();
    }
  } finally {
    await mailServer?.stop();
  }
}

function readOptions(): { orders: number; url: string; smtp: boolean } {
  try {
    const { values } = parseArgs({
      options: {
        orders: { type: 'string', default: '100' },
        url: { type: 'string' },
        smtp: { type: 'boolean', default: false },
        help: { type: 'boolean' },
      },
    });
    if (values.help) exitWith(USAGE, 0);
    const count = /^\d{1,5}$/.test(values.orders) ? Number(values.orders) : 0;
    if (count < 1 || count > MAX_ORDERS)
      exitWith(`--orders takes a whole number from 1 to ${MAX_ORDERS}.\n\n${USAGE}`, 2);
    const url = values.url ?? `http://127.0.0.1:${process.env['HTTP_PORT'] || 3000}`;
    if (!URL.canParse(url)) exitWith(`--url takes a URL such as http://127.0.0.1:3000.\n\n${USAGE}`, 2);
    return { orders: count, url: url.replace(/\/$/, ''), smtp: values.smtp };
  } catch (error) {
    return exitWith(`${(error as Error).message}\n\n${USAGE}`, 2);
  }
}

function exitWith(text: string, status: number): never {
  (status === 0 ? process.stdout : process.stderr).write(text);
  process.exit(status);
}
