import { TaskError } from '../task/errors.ts';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { EarlierReceives, ReceiveLog } from '../run/task-tracker.ts';
import { within } from '../time/within.ts';
import type { TaskTable } from './task-table.ts';

/** An attempt must not wait long for what only helps against crashes. */
const LIMIT_MS = 2000;
/** Once a request has failed, no other is made for so long. */
const REST_MS = 5000;

/** The table has not answered in time, or a moment ago. */
export class ReceiveLogAwayError extends TaskError {
  override readonly name = 'ReceiveLogAwayError';
}

/**
 * What is known of the receives of untracked messages, a row each in the task store's table, under `message#` and the
 * id of the first message of a chain of copies: no task's id has such a character. A row is written when an attempt fails or is put back, not for a message
 * that is done at its first receive, and expires as those of tasks do.
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
    // An update, not a put: workers have the right to update the table only
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
      throw new ReceiveLogAwayError('The task store was away a moment ago');
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
