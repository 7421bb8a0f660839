// The rows of groups in the task store's table.
import { TaskConflictError } from '../task/errors.ts';
import type { NewGroup } from '../send/task-records.ts';
import type { GroupRow } from './task-row.ts';
import type { TaskTable } from './task-table.ts';

/** Reads and writes groups of tracked tasks. Each is a row of the task store's table, with an id of its own. */
export class TaskGroups {
  readonly #table: TaskTable;

  constructor(table: TaskTable) {
    this.#table = table;
  }

  /** Writes the row of a group. Does nothing if it has one. @throws TaskConflictError if that row has other members */
  async create({ groupId, memberIds, next, notBefore }: NewGroup): Promise<void> {
    await this.#table.timeKnown();
    const row: GroupRow = { taskId: groupId, memberIds, next, expiresAt: this.#table.expiry(notBefore) };
    const written = await this.#table.create(row);
    const known = written ? undefined : await this.find(groupId);
    if (known && known.memberIds.join() !== memberIds.join())
      throw new TaskConflictError(
        `The id ${groupId} belongs to a group with other members: expected another id`,
      );
  }

  /** Records that a member has succeeded. Resolves to the group after that; to undefined if its row has expired. */
  async memberDone(groupId: string, taskId: string): Promise<GroupRow | undefined> {
    await this.#table.timeKnown();
    const group: unknown = await this.#table.update(groupId, 'expiresAt >= :now', 'ADD done :member', {
      ':member': new Set([taskId]),
      ':now': this.#table.seconds,
    });
    return group as GroupRow | undefined;
  }

  /** Reads a group. Resolves to undefined if its row has expired. */
  async find(groupId: string): Promise<GroupRow | undefined> {
    const row = (await this.#table.get(groupId)) as GroupRow | undefined;
    return row && row.expiresAt >= this.#table.seconds ? row : undefined;
  }
}
