// The options of the command that lists and puts back dead letters.
import { userInfo } from 'node:os';
import { parseArgs } from 'node:util';
import { DEAD_LETTER_REASONS } from 'baton-tasks/tooling';
import { NO_REASON } from './letter.ts';

/** The values of `--reason`, each with its meaning. */
const REASONS: Readonly<Record<string, string>> = {
  ...DEAD_LETTER_REASONS,
  [NO_REASON]: 'SQS itself moved it, after too many receives',
};

/** The usage of the command. */
export const USAGE = `npm run dead-letters -- QUEUE [options]

Lists the dead letters of a queue, such as payments, and changes nothing; with --put-back, sends them to it again.

  --put-back        sends each to the queue that it came from, with its attributes, and then deletes it here
  --by NAME         who puts them back, for the status of each task (default your user name)
  --task TASK_ID    only the dead letters of that task
  --reason REASON   only those that were set aside for that reason (below)
  --limit N         no more than so many, 1 to 100,000 (default 1,000)
  --json            a JSON object a line; so it is, too, when the output is no terminal

Where the queues are: AWS, by the variables that the AWS SDK reads (AWS_REGION, AWS_PROFILE, AWS_ENDPOINT_URL_SQS), and
  --stage STAGE     those of that stage (default dev)
  --prefix URL      those whose URLs begin like this, up to the queue's name (default QUEUE_URL_PREFIX, if that is set)
  --local           those of a running npm start, or of the containers

Reasons (docs/dead-letters.md says what to do about each):
${Object.entries(REASONS)
  .map(([reason, meaning]) => `  ${reason.padEnd(18)} ${meaning}\n`)
  .join('')}`;

const MAX_LIMIT = 100_000;

/** The command line is wrong. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The options of the command. */
export interface Options {
  readonly help: boolean;
  readonly queue: string;
  readonly putBack: boolean;
  readonly by: string;
  readonly taskId: string | undefined;
  readonly reason: string | undefined;
  readonly limit: number;
  readonly json: boolean;
  readonly stage: string;
  /** The part of a queue's URL before its name. If undefined, SQS is asked for it by the stage. */
  readonly prefix: string | undefined;
  readonly local: boolean;
}

/** Reads the command line. @throws UsageError saying what is wrong with it */
export function readOptions(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Options {
  const { values, positionals } = parsed(args);
  const [queue = '', ...more] = positionals;
  if (!values.help && (more.length > 0 || !/^[a-z0-9-]{1,60}$/.test(queue)))
    throw new UsageError(
      `Expected the name of one queue, such as payments, got ${positionals.join(' ') || 'none'}`,
    );
  const limit = /^\d{1,6}$/.test(values.limit) ? Number(values.limit) : 0;
  if (limit < 1 || limit > MAX_LIMIT)
    throw new UsageError(`--limit: expected a whole number from 1 to ${MAX_LIMIT}, got ${values.limit}`);
  if (values.reason !== undefined && !Object.hasOwn(REASONS, values.reason))
    throw new UsageError(
      `--reason: expected one of ${Object.keys(REASONS).join(', ')}, got ${values.reason}`,
    );
  const by = values.by ?? userName();
  if (!/^[\x20-\x7E]{1,100}$/.test(by))
    throw new UsageError(`--by: expected a name of 1 to 100 printable ASCII characters, got ${by}`);
  if (!/^[a-z][a-z0-9-]{0,30}$/.test(values.stage))
    throw new UsageError(`--stage: expected a stage such as dev, got ${values.stage}`);
  // A stage on the command line wins over QUEUE_URL_PREFIX
  const given =
    values.prefix ??
    (args.some((arg) => arg.startsWith('--stage')) ? undefined : environment['QUEUE_URL_PREFIX']);
  const prefix = given === '' || values.local ? undefined : given;
  if (prefix !== undefined && !/^https?:\/\/.+\/[^/]*$/.test(prefix))
    throw new UsageError(`--prefix: expected a URL up to the name of the queue, got ${prefix}`);
  const { 'put-back': putBack, task: taskId, reason, json, stage, local, help } = values;
  return { help, queue, putBack, by, taskId, reason, limit, json, stage, prefix, local };
}

/** The name of the user on this machine, if it has one that a note can hold. */
function userName(): string {
  try {
    const { username } = userInfo();
    return /^[\x20-\x7E]{1,100}$/.test(username) ? username : 'unknown';
  } catch {
    return 'unknown';
  }
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        'put-back': { type: 'boolean', default: false },
        by: { type: 'string' },
        task: { type: 'string' },
        reason: { type: 'string' },
        limit: { type: 'string', default: '1000' },
        json: { type: 'boolean', default: false },
        stage: { type: 'string', default: 'dev' },
        prefix: { type: 'string' },
        local: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
