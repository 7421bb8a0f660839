import { expect, jest, test } from '@jest/globals';
import { Room } from '../../process/room.ts';
import { TaskContinuation } from '../task-continuation.ts';

const KIB = 1024;
const next = { taskId: 'last', task: 'tests.last', queue: 'default' };

/** The records of any number of groups of 100 members, whose members all have this result. */
class Groups {
  readonly memberIds = Array.from({ length: 100 }, (_, index) => `m-${index}`);
  readonly forward = jest.fn(async () => undefined);
  readonly cancel = jest.fn(async (_taskId: string, _why: object) => undefined);
  /** How many groups are being read, and the most that were at one time. */
  reading = 0;
  most = 0;
  readonly #continuation: TaskContinuation;

  constructor(result: string, room: Room) {
    const done = new Set(this.memberIds);
    const records = {
      groups: { memberDone: async (taskId: string) => ({ taskId, memberIds: this.memberIds, done, next }) },
      readResults: async (ids: string[]) => {
        this.most = Math.max(this.most, (this.reading += 1));
        await new Promise(setImmediate);
        return ids.map((taskId) => ({ taskId, state: 'succeeded', result }));
      },
      turn: async () => ({ taskId: 'last' }),
      read: async () => undefined,
      cancel: this.cancel,
    };
    const forward = (): Promise<undefined> => {
      this.reading -= 1;
      return this.forward();
    };
    this.#continuation = new TaskContinuation({ records: records as never, forward, room });
  }

  /** Ends the last member of a group. */
  end(groupId: string): Promise<void> {
    const ended = { taskId: 'm-0', task: 'tests.member', queue: 'default', state: 'succeeded', groupId };
    const at = '2026-12-01T00:00:00.000Z';
    const worker = { attempts: 1, token: 1, startedAt: at, finishedAt: at };
    return this.#continuation.ended({ ...ended, ...worker } as never);
  }
}

test('as many groups are read at one time as the memory holds, and all go on', async () => {
  const groups = new Groups('"short"', new Room(3 * 100 * 400 * KIB));
  await Promise.all(Array.from({ length: 20 }, (_, index) => groups.end(`g-${index}`)));
  expect(groups.forward).toHaveBeenCalledTimes(20);
  expect(groups.most).toBe(3);
});

test('a group that needs more memory than there is is read alone', async () => {
  const groups = new Groups('"short"', new Room(KIB));
  await Promise.all(Array.from({ length: 5 }, (_, index) => groups.end(`g-${index}`)));
  expect([groups.forward.mock.calls.length, groups.most]).toEqual([5, 1]);
});

test('results that no message can take are not parsed: the next task is cancelled with the reason', async () => {
  const groups = new Groups(`[${'[],'.repeat(5000)}[]]`, new Room());
  const parse = jest.spyOn(JSON, 'parse');
  await groups.end('g-1');
  const parsed = parse.mock.calls.length;
  parse.mockRestore();
  expect(parsed).toBe(0);
  expect(groups.forward).not.toHaveBeenCalled();
  const message = expect.stringMatching(/^tests\.last is too large: .*1500400 characters/);
  const why = { error: { name: 'TaskCancelledError', message }, afterId: 'g-1' };
  expect(groups.cancel).toHaveBeenCalledWith('last', why);
});

test('the memory of a group is free again if its results cannot be read', async () => {
  const room = new Room(1000 * KIB * KIB);
  const groups = new Groups('{', room);
  await expect(groups.end('g-1')).rejects.toThrow(SyntaxError);
  expect(room.freeBytes).toBe(1000 * KIB * KIB);
});
