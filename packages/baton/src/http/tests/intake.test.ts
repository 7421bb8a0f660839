import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { Intake, type IntakeRow } from '../intake.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { type Backends, startBackends } from '../../../tests/support/backends.ts';
import { createNotesTable } from '../../../tests/support/notes-table.ts';
import { eventually } from 'baton-dev/testing/eventually';

interface Row extends IntakeRow {
  readonly text: string;
}

const logger = createLogger({ service: 'tests', level: 'silent' });

let backends: Backends;
let table: string;
let nowMs = 1_800_000_000_000;
let intake: Intake<Row>;
const sendTask = jest.fn<() => Promise<void>>();

beforeAll(async () => {
  backends = await startBackends([]);
  table = await createNotesTable(backends);
  intake = new Intake({ documents: backends.documents, table, key: 'noteId', logger, now: () => nowMs });
});
afterAll(() => backends.stop());
beforeEach(() => {
  sendTask.mockReset().mockResolvedValue();
});

const take = (id: string, requestHash = 'same', at = intake) =>
  at.accept({
    id,
    requestHash,
    row: { text: 'x' },
    listing: { listedIn: 'notes', listedAt: id },
    sendTask,
  });

/** An intake whose requests to the table go through `around`. */
function intakeOn(around: (send: () => Promise<unknown>) => Promise<unknown>): Intake<Row> {
  const send = (command: never) => around(() => backends.documents.send(command));
  const documents = { send } as unknown as typeof backends.documents;
  return new Intake({ documents, table, key: 'noteId', logger, now: () => nowMs });
}

async function read(id: string): Promise<Record<string, unknown> | undefined> {
  const { Item } = await backends.documents.send(new GetCommand({ TableName: table, Key: { noteId: id } }));
  return Item;
}

describe('an intake', () => {
  test('marks the row as accepted once its task is sent, and removes its expiry', async () => {
    sendTask.mockImplementation(async () => {
      await expect(read('first')).resolves.toMatchObject({ status: 'pending', text: 'x' });
    });
    await take('first');
    const row = await read('first');
    expect(row).toMatchObject({ status: 'accepted', text: 'x', listedIn: 'notes' });
    expect(row).not.toHaveProperty('expiresAt');
  });

  test('accepts a request that no list shows', async () => {
    await intake.accept({ id: 'unlisted', requestHash: 'same', row: { text: 'x' }, listing: {}, sendTask });
    await expect(read('unlisted')).resolves.toMatchObject({ status: 'accepted' });
  });

  test('sends nothing for a request that was accepted before', async () => {
    await take('twice');
    await take('twice');
    expect(sendTask).toHaveBeenCalledTimes(1);
  });

  test('refuses another request under the same id', async () => {
    await take('taken');
    await expect(take('taken', 'other')).rejects.toMatchObject({ name: 'RequestMismatchError' });
    expect(sendTask).toHaveBeenCalledTimes(1);
  });

  test('does not change a row that the outcome of its task has already changed', async () => {
    sendTask.mockImplementation(async () => {
      const Item = { noteId: 'overtaken', status: 'completed', requestHash: 'same' };
      await backends.documents.send(new PutCommand({ TableName: table, Item }));
    });
    await take('overtaken');
    await expect(read('overtaken')).resolves.toMatchObject({ status: 'completed' });
  });

  test('refuses another request under an id that is pending, however long ago', async () => {
    sendTask.mockRejectedValueOnce(new Error('no broker'));
    await expect(take('pending')).rejects.toThrow('no broker');
    nowMs += 60_000;
    await expect(take('pending', 'other')).rejects.toMatchObject({ name: 'RequestMismatchError' });
  });

  test('lets only one of many equal requests send, and gives the others its answer', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    sendTask.mockReturnValue(promise);
    const all = Promise.all(Array.from({ length: 5 }, () => take('many')));
    await eventually('the send', () => sendTask.mock.calls.length > 0);
    resolve();
    await expect(all).resolves.toHaveLength(5);
    expect(sendTask).toHaveBeenCalledTimes(1);
  });

  test('refuses an equal request as in progress if the first one is slow', async () => {
    sendTask.mockReturnValueOnce(new Promise(() => undefined));
    void take('slow');
    await eventually('the send', () => sendTask.mock.calls.length > 0);
    await expect(take('slow')).rejects.toMatchObject({ name: 'RequestInProgressError' });
  });

  test('accepts the same request again at once after its task could not be sent', async () => {
    sendTask.mockRejectedValueOnce(new Error('no broker'));
    await expect(take('failed')).rejects.toThrow('no broker');
    await expect(read('failed')).resolves.toMatchObject({ status: 'pending' });
    await take('failed');
    await expect(read('failed')).resolves.toMatchObject({ status: 'accepted' });
  });

  test('recognizes its own row if the SDK retries a write whose answer was lost', async () => {
    let lost = false;
    const twice = intakeOn(async (send) => {
      if (lost) return send();
      lost = true;
      await send();
      return send();
    });
    await take('answer-lost', 'same', twice);
    expect(sendTask).toHaveBeenCalledTimes(1);
    await expect(read('answer-lost')).resolves.toMatchObject({ status: 'accepted' });
  });

  test('accepts a request whose task was sent, even if its row could not be marked', async () => {
    let calls = 0;
    const failing = intakeOn((send) => ((calls += 1) === 2 ? Promise.reject(new Error('no store')) : send()));
    await expect(take('unmarked', 'same', failing)).resolves.toBeUndefined();
    await expect(read('unmarked')).resolves.toMatchObject({ status: 'pending' });
  });

  test('lets the same request take over 30 s after a crash', async () => {
    sendTask.mockReturnValueOnce(new Promise(() => undefined));
    void take('crashed');
    await eventually('the send', () => sendTask.mock.calls.length > 0);
    nowMs += 30_001;
    await take('crashed');
    await expect(read('crashed')).resolves.toMatchObject({ status: 'accepted' });
  });
});
