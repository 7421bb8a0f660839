// The results of a group's members, read within a bound of memory.
import { partOfHeapBytes, Room } from '../process/room.ts';
import { memoryBytesOf } from '../sqs/json-shape.ts';
import { TaskTooLargeError } from '../task/errors.ts';
import { MAX_STEPS } from '../task/flow.ts';
import { fromJson } from '../task/json-value.ts';
import { MAX_MESSAGE_BYTES } from '../task/task.ts';
import type { KeptGroup, TaskRecords } from './task-records.ts';

/** The most bytes of a row, and so of a result (Quotas in Amazon DynamoDB). */
const MAX_ROW_BYTES = 400 * 1024;

/**
 * Reads the results of groups. A process may end the last members of many groups at one time, and each group may have 40 MB
 * of results, although a message takes no more than 1 MB of them.
 */
export class GroupResults {
  readonly #records: Pick<TaskRecords, 'readResults'>;
  readonly #room: Room;

  /** @param room - the memory for all groups that are read at one time. Default: a part of the heap */
  constructor(records: Pick<TaskRecords, 'readResults'>, room = new Room(partOfHeapBytes())) {
    this.#records = records;
    this.#room = room;
  }

  /**
   * Reads the results of a group's members, once there is memory for them, and keeps that until `use` has ended.
   *
   * @param use - gets undefined unless all members have succeeded: rows may have expired or belong to later tasks
   * @throws TaskTooLargeError if no message can take the results, and the errors of the store and of `use`
   */
  async with<Value>(group: KeptGroup, use: (results?: unknown[]) => Promise<Value>): Promise<Value> {
    const { memberIds, done } = group;
    // Its row may name any task as a member. Only a worker records that a task of this group has succeeded
    if (memberIds.length > MAX_STEPS || !memberIds.every((taskId) => done?.has(taskId))) return use();
    let heldBytes = memberIds.length * MAX_ROW_BYTES;
    await this.#room.takeLater(heldBytes, new AbortController().signal);
    try {
      const members = await this.#records.readResults(memberIds);
      if (members.filter(({ state }) => state === 'succeeded').length < memberIds.length) return await use();
      const texts = members.map(({ result = '' }) => result);
      const characters = texts.reduce((sum, text) => sum + text.length, 0);
      if (characters > MAX_MESSAGE_BYTES)
        throw new TaskTooLargeError(
          group.next.task,
          `expected results of at most ${MAX_MESSAGE_BYTES} bytes together, as SQS allows, got ${characters} characters`,
        );
      const bytes = texts.reduce((sum, text) => sum + text.length + memoryBytesOf(text), 0);
      this.#room.takeAnyway(bytes);
      this.#room.giveBack(heldBytes);
      heldBytes = bytes;
      return await use(texts.map(fromJson));
    } finally {
      this.#room.giveBack(heldBytes);
    }
  }
}
