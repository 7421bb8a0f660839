import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { PutCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { v5 as uuidv5 } from 'uuid';
import { createLogger } from '../../telemetry/logger.ts';
import { Intake } from '../intake.ts';
import { IdempotencyKeys } from '../idempotency-keys.ts';
import { type Backends, startBackends } from '../../../tests/support/backends.ts';
import { createNotesTable } from '../../../tests/support/notes-table.ts';

const NAMESPACE = '00000000-0000-4000-8000-000000000002';
const DAY_MS = 86_400_000;

let backends: Backends;
let table: string;
let nowMs = 1_800_000_000_000;
let keys: IdempotencyKeys;
let key: string;

beforeAll(async () => {
  backends = await startBackends([]);
  table = await createNotesTable(backends);
  keys = keysOn(backends.documents);
});
afterAll(() => backends.stop());
beforeEach(() => {
  key = randomUUID();
});

function keysOn(documents: typeof backends.documents, more: { namespace?: string; seconds?: number } = {}) {
  return new IdempotencyKeys({
    documents,
    table,
    key: 'noteId',
    namespace: NAMESPACE,
    now: () => nowMs,
    ...more,
  });
}

const ask = (subject: string, requestHash = 'same', at = keys) =>
  at.idOf({ headers: { 'idempotency-key': key }, caller: { subject }, requestHash });

const rows = async (): Promise<Record<string, unknown>[]> =>
  (await backends.documents.send(new ScanCommand({ TableName: table }))).Items ?? [];

describe('an idempotency key', () => {
  test('gives its caller the same id again, and writes one record', async () => {
    const before = await rows();
    const id = await ask('A');
    await expect(ask('A')).resolves.toBe(id);
    await expect(rows()).resolves.toHaveLength(before.length + 1);
  });

  test("of somebody else's gives another id, as if nobody had used it", async () => {
    const id = await ask('A');
    const ofB = await ask('B');
    expect(ofB).not.toBe(id);
    await expect(ask('B')).resolves.toBe(ofB);
    await expect(ask('A')).resolves.toBe(id);
  });

  test('that somebody else has used first, with whatever body, is free', async () => {
    await ask('B', 'squatted');
    await expect(ask('A')).resolves.toEqual(expect.any(String));
  });

  test('stands for another resource in another route', async () => {
    const other = keysOn(backends.documents, { namespace: '00000000-0000-4000-8000-000000000003' });
    await expect(ask('A', 'same', other)).resolves.not.toBe(await ask('A'));
  });

  test('keeps subject and key apart', async () => {
    const idOf = (subject: string, value: string) =>
      keys.idOf({ headers: { 'idempotency-key': value }, caller: { subject }, requestHash: 'same' });
    await expect(idOf('A","', `b${key}`)).resolves.not.toBe(await idOf('A', `","b${key}`));
  });

  test('with another body is refused', async () => {
    await ask('A');
    await expect(ask('A', 'other')).rejects.toMatchObject({ name: 'RequestMismatchError' });
  });

  test('is the same for many requests at the same time, also of two processes', async () => {
    const other = keysOn(backends.documents);
    const ids = await Promise.all([keys, other, keys, other].map((at) => ask('A', 'same', at)));
    expect(new Set(ids).size).toBe(1);
  });

  test('gives the same id after a crash before the row of its request was written, so that the repeat writes it', async () => {
    const sendTask = jest.fn<() => Promise<void>>().mockResolvedValue();
    const logger = createLogger({ service: 'tests', level: 'silent' });
    const options = { documents: backends.documents, table, key: 'noteId', logger, now: () => nowMs };
    const id = await ask('A');
    // The process died here
    const intake = new Intake({ ...options });
    await intake.accept({ id: await ask('A'), requestHash: 'same', row: {}, listing: {}, sendTask });
    await expect(rows()).resolves.toContainEqual(
      expect.objectContaining({ noteId: id, status: 'accepted', requestHash: 'same' }),
    );
    expect(sendTask).toHaveBeenCalledTimes(1);
  });

  test('is a new one after a day, with a new id and any body, though its record is still there', async () => {
    const id = await ask('A');
    nowMs += DAY_MS - 1000;
    await expect(ask('A')).resolves.toBe(id);
    nowMs += 1000;
    const renewed = await ask('A', 'other');
    expect(renewed).not.toBe(id);
    await expect(ask('A', 'other')).resolves.toBe(renewed);
  });

  test('lives as long as it should, by the time to live of its record', async () => {
    const short = keysOn(backends.documents, { seconds: 60 });
    const id = await ask('A', 'same', short);
    const record = (await rows()).find(({ resourceId }) => resourceId === id);
    expect(record).toMatchObject({ status: 'pending', expiresAt: Math.floor(nowMs / 1000) + 60 });
    nowMs += 60_000;
    await expect(ask('A', 'same', short)).resolves.not.toBe(id);
  });

  test('recognizes its own record if the SDK retries a write whose answer was lost', async () => {
    const send = async (command: never) => {
      const sent = await backends.documents.send(command);
      return (command as object) instanceof PutCommand ? backends.documents.send(command) : sent;
    };
    const id = await ask('A', 'same', keysOn({ send } as unknown as typeof backends.documents));
    await expect(ask('A')).resolves.toBe(id);
  });

  test('that 0.1.0 took gives the id that it gave, for the same body alone', async () => {
    const noteId = uuidv5(key, NAMESPACE);
    const Item = { noteId, status: 'accepted', requestHash: 'same' };
    await backends.documents.send(new PutCommand({ TableName: table, Item }));
    await expect(ask('A')).resolves.toBe(noteId);
    await expect(ask('A', 'other')).resolves.not.toBe(noteId);
  });

  test('is refused if it is empty, too long or not printable', async () => {
    for (const value of ['', 'k'.repeat(256), 'ä'])
      await expect(
        keys.idOf({ headers: { 'idempotency-key': value }, caller: { subject: 'A' }, requestHash: 'same' }),
      ).rejects.toMatchObject({ kind: 'invalid-request' });
  });
});

test('a request without a key gets a new id each time, and writes nothing', async () => {
  const before = await rows();
  const request = { headers: {}, caller: { subject: 'A' }, requestHash: 'same' };
  await expect(keys.idOf(request)).resolves.not.toBe(await keys.idOf(request));
  await expect(rows()).resolves.toEqual(before);
});
