import { PutCommand } from '@aws-sdk/lib-dynamodb';
import type { NewGroup } from '../queue/tracking.ts';
import type { GroupRow } from './task-row.ts';
import type { TaskTable } from './task-table.ts';

/** The groups of tracked tasks, each a row of the task store's table under an id of its own. */
export class TaskGroups {
  readonly #table: TaskTable;

  constructor(table: TaskTable) {
    this.#table = table;
  }

  /** Notes a group that its members will name. Does nothing where it is known. */
  async create({ groupId, memberIds, next, notBefore }: NewGroup): Promise<void> {
    const row: GroupRow = { taskId: groupId, memberIds, next, expiresAt: this.#table.expiry(notBefore) };
    await this.#table.unlessRefused(
      new PutCommand({
        TableName: this.#table.name,
        Item: row,
        ConditionExpression: 'attribute_not_exists(taskId)',
      }),
    );
  }

  /** Notes that a member has succeeded. Resolves to the group as it is then; nothing once it has expired. */
  async memberDone(groupId: string, taskId: string): Promise<GroupRow | undefined> {
    const group: unknown = await this.#table.update(groupId, 'attribute_exists(taskId)', 'ADD done :member', {
      ':member': new Set([taskId]),
    });
    return group as GroupRow | undefined;
  }

  /** The group of that id. */
  async find(groupId: string): Promise<GroupRow | undefined> {
    return (await this.#table.get(groupId)) as GroupRow | undefined;
  }
}
