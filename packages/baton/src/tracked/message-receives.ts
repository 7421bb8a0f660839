// The log of receives in the task store's table.
import { TaskError } from '../task/errors.ts';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { EarlierReceives, ReceiveLog } from '../run/receive-log.ts';
import { within } from '../time/within.ts';
import type { TaskTable } from './task-table.ts';

/** How long a request may take. It is short, because the log only helps against crashes. */
const LIMIT_MS = 2000;
/** How long no request is made after a failed one. */
const REST_MS = 5000;

/** The task store does not answer in time, or did not a moment ago. */
export class ReceiveLogAwayError extends TaskError {
  override readonly name = 'ReceiveLogAwayError';
}

/**
 * Logs the receives of messages whose tasks are not tracked, in a row for each series of copies. The row's key is
 * `message#` and the id of the first message; no task id contains `#`. A message that is done at its first receive has no
 * row. Rows expire like those of tasks.
 */
export class MessageReceives implements ReceiveLog {
  readonly #table: TaskTable;
  #awayUntilMs = -Infinity;

  constructor(table: TaskTable) {
    this.#table = table;
  }

  async find(firstId: string): Promise<EarlierReceives | undefined> {
    return (await this.#ask(() => this.#table.get(rowId(firstId)))) as EarlierReceives | undefined;
  }

  async keep(firstId: string, receives: EarlierReceives): Promise<void> {
    const { ended, attempts, crashes, begun = 0, alone = false, suspect = false } = receives;
    const members = { ended, attempts, crashes, begun, alone, suspect, expiresAt: this.#table.expiry() };
    const names = Object.keys(members);
    // Not a put, because workers may only update the table
    const command = new UpdateCommand({
      TableName: this.#table.name,
      Key: { taskId: rowId(firstId) },
      UpdateExpression: `SET ${names.map((name) => `${name} = :${name}`).join(', ')}`,
      ExpressionAttributeValues: Object.fromEntries(
        Object.entries(members).map(([name, value]) => [`:${name}`, value]),
      ),
    });
    await this.#ask(() => this.#table.documents.send(command));
  }

  async #ask<Answer>(request: () => Promise<Answer>): Promise<Answer> {
    if (performance.now() < this.#awayUntilMs)
      throw new ReceiveLogAwayError('The task store did not answer a moment ago');
    try {
      return await within(LIMIT_MS, request(), notInTime);
    } catch (error) {
      this.#awayUntilMs = performance.now() + REST_MS;
      throw error;
    }
  }
}

function notInTime(): never {
  throw new ReceiveLogAwayError(`The task store did not answer within ${LIMIT_MS} ms`);
}

function rowId(firstId: string): string {
  return `message#${firstId}`;
}
