// Lists the dead letters of a queue, and puts them back: npm run dead-letters -- payments
import { existsSync } from 'node:fs';
import process from 'node:process';
import { GetQueueUrlCommand } from '@aws-sdk/client-sqs';
import { createSqsClient } from 'baton-tasks/tooling';
import { DeadLetterQueue } from './dead-letter-queue.ts';
import { factsOf, type Letter } from './letter.ts';
import { jsonOf, type Line, tableOf } from './lines.ts';
import { OnceEach } from './once-each.ts';
import { type Options, readOptions, USAGE, UsageError } from './options.ts';
import { Output } from './output.ts';

const INTERRUPTED = 130;

const output = new Output(process.stdout);
const messages = new Output(process.stderr);
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());

/** The variables of a system on this machine. Its credentials are no real ones, so the command cannot reach an account. */
function pointAtThisMachine(): void {
  for (const name of ['AWS_PROFILE', 'AWS_SESSION_TOKEN', 'AWS_ENDPOINT_URL']) delete process.env[name];
  Object.assign(process.env, {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL_SQS: `http://127.0.0.1:${process.env['SQS_PORT'] || 4566}`,
  });
}

/** Resolves to the exit status: 1 if a letter could not be put back. */
async function run(options: Options): Promise<number> {
  if (options.local) pointAtThisMachine();
  const sqs = createSqsClient();
  const urlOf = async (queue: string): Promise<string> => {
    if (options.prefix !== undefined) return options.prefix + queue;
    const QueueName = `baton-${options.stage}-${queue}`;
    return (await sqs.send(new GetQueueUrlCommand({ QueueName }))).QueueUrl ?? '';
  };
  const { queue, by } = options;
  try {
    const letters = new DeadLetterQueue({ sqs, queue, url: await urlOf(`${queue}-dlq`), urlOf, by });
    try {
      return await handle(letters, options);
    } finally {
      await letters.release();
    }
  } finally {
    sqs.destroy();
  }
}

async function handle(letters: DeadLetterQueue, options: Options): Promise<number> {
  const { queue, limit, putBack } = options;
  const asJson = options.json || !process.stdout.isTTY;
  /** Those that are shown at the end. */
  const rows: Line[] = [];
  const failed: Line[] = [];
  let [read, back] = [0, 0];
  const once = new OnceEach();
  for await (const batch of letters.letters()) {
    const wanted = batch
      .filter((letter) => isWanted(letter, options) && (!putBack || once.admits(letter)))
      .slice(0, limit - read);
    const handled: Line[] = putBack ? await letters.putBack(wanted) : wanted.map((letter) => ({ letter }));
    for (const line of handled) {
      const { letter, became } = line;
      const short = { ...line, letter: factsOf(letter) };
      read += 1;
      if (became !== 'kept') back += 1;
      if (became === 'kept' || became === 'twice') failed.push(short);
      if (asJson) output.line(jsonOf(line));
      else rows.push(short);
    }
    // Listing stops if its reader ends, as `head` does. Putting back continues without a reader
    if (read >= limit || interrupted.signal.aborted || (output.ended && !putBack)) break;
  }
  if (rows.length > 0) output.line(tableOf(rows, Date.now()));
  const more = read >= limit ? `, the first ${limit}: there may be more` : '';
  const left = once.refused > 0 ? `; ${once.refused} left, the same as others or set aside meanwhile` : '';
  messages.line(`${summaryOf(putBack ? back : read, queue, putBack)}${more}${left}`);
  for (const { letter, became, why } of failed)
    messages.line(
      became === 'kept'
        ? `${letter.taskId ?? letter.messageId} was not put back and is still a dead letter: ${why}`
        : `${letter.taskId ?? letter.messageId} is back, and still a dead letter too, for it could not be deleted: ${why}`,
    );
  if (output.trouble) messages.line(`Not all could be written: ${output.trouble.message}`);
  if (interrupted.signal.aborted) return INTERRUPTED;
  return failed.length > 0 || output.trouble ? 1 : 0;
}

function isWanted(letter: Letter, { taskId, reason }: Options): boolean {
  return (
    (taskId === undefined || letter.taskId === taskId) && (reason === undefined || letter.reason === reason)
  );
}

function summaryOf(count: number, queue: string, putBack: boolean): string {
  const letters = `${count} dead letter${count === 1 ? '' : 's'} of ${queue}`;
  if (putBack) return `${letters} put back`;
  return `${letters}${count > 0 ? '; --put-back sends them again' : ''}`;
}

try {
  if (existsSync('.env')) process.loadEnvFile('.env');
  const options = readOptions(process.argv.slice(2), process.env);
  if (options.help) output.line(USAGE.trimEnd());
  else process.exitCode = await run(options);
} catch (error) {
  const { name, message } = error as Error;
  const isUsage = error instanceof UsageError;
  messages.line(isUsage ? `${message}\n\n${USAGE}` : `${name}: ${message}`);
  process.exitCode = isUsage ? 2 : 1;
}
