// The options of the command that brings back rows of a table.
import { parseArgs } from 'node:util';
import * as z from 'zod';

/** The table of the task store. */
const TASKS = 'tasks';

/** The usage of the command. */
export const USAGE = `npm run restore-table -- TABLE --stage STAGE --at TIME [options]

Brings back rows that a table has lost, such as those of payments. DynamoDB restores the table as it was at a point in time,
into a copy beside it. Then this command compares the copy with the table and says what it would write. It changes nothing
in the table without --write.

  --stage STAGE     the stage, such as prod
  --at TIME         the point in time, in ISO 8601 with its zone: 2026-11-30T12:00:00Z
  --from COPY       compares with this table, which was restored before; in place of --at
  --write           writes the missing rows, after you have typed the stage's name
  --word STAGE      the stage's name, where nobody can type it
  --overwrite       also gives rows that differ the state that they had then, except deleted ones. Not for ${TASKS}
  --old-copy        takes a copy of a time more than 35 days ago, or unknown: rows that callers deleted since may come back

A row whose time to live is over is left out. Stop the command when you like: the same command continues.
docs/restore.md has the whole procedure. The AWS SDK's variables say which account and region.
`;

/** The command line is wrong. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The options of the command. */
export interface Options {
  readonly help: boolean;
  /** Without the stage's prefix: `payments`. */
  readonly table: string;
  readonly stage: string;
  /** The point in time to restore. Undefined if the copy exists. */
  readonly at: Date | undefined;
  /** The whole name of a copy that exists. */
  readonly from: string | undefined;
  readonly write: boolean;
  readonly word: string | undefined;
  readonly overwrite: boolean;
  /** Whether the copy may be of any time. */
  readonly oldCopy: boolean;
}

/** Reads the command line. @throws UsageError saying what is wrong with it */
export function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parsed(args);
  const { help, stage = '', from, write, word, overwrite, 'old-copy': oldCopy } = values;
  const [table = '', ...more] = positionals;
  if (help) return { help, table, stage, at: undefined, from, write, word, overwrite, oldCopy };
  if (more.length > 0 || !/^[a-z0-9-]{1,60}$/.test(table))
    throw new UsageError(
      `Expected the name of one table, such as payments, got ${positionals.join(' ') || 'none'}`,
    );
  if (!/^[a-z][a-z0-9-]{0,30}$/.test(stage))
    throw new UsageError(`--stage: expected a stage such as prod, got ${stage || 'none'}`);
  if ((values.at === undefined) === (from === undefined))
    throw new UsageError('Expected either --at TIME or --from COPY');
  if (from !== undefined && !/^[\w.-]{3,255}$/.test(from))
    throw new UsageError(`--from: expected the whole name of a table, got ${from}`);
  if (overwrite && table === TASKS)
    throw new UsageError(`--overwrite: not for ${TASKS}, because tasks that have ended would run again`);
  const at = values.at === undefined ? undefined : timeOf(values.at);
  return { help, table, stage, at, from, write, word, overwrite, oldCopy };
}

function timeOf(text: string): Date {
  if (z.iso.datetime({ offset: true }).safeParse(text).success) return new Date(text);
  throw new UsageError(`--at: expected a time with its zone, such as 2026-11-30T12:00:00Z, got ${text}`);
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        stage: { type: 'string' },
        at: { type: 'string' },
        from: { type: 'string' },
        write: { type: 'boolean', default: false },
        word: { type: 'string' },
        overwrite: { type: 'boolean', default: false },
        'old-copy': { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
