import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { type Backends, startBackends } from '../../../tests/support/backends.ts';
import { createNotesTable } from '../../../tests/support/notes-table.ts';
import { eraseRow } from '../erased-row.ts';

let backends: Backends;
let table: string;

beforeAll(async () => {
  backends = await startBackends([]);
  table = await createNotesTable(backends);
});
afterAll(() => backends.stop());

/** Writes a row and erases it, as one that was read with the token. Resolves to whether it was, and to what is left. */
async function erase(row: object, taskToken: number | undefined) {
  const { documents } = backends;
  const noteId = randomUUID();
  await documents.send(new PutCommand({ TableName: table, Item: { noteId, ...row } }));
  const rest = { noteId, requestHash: 'hash' };
  const erased = await eraseRow({ documents, table, rest, ended: ['done', 'failed'], taskToken, by: 'c-1' });
  const { Item } = await documents.send(new GetCommand({ TableName: table, Key: { noteId } }));
  return { noteId, erased, Item };
}

test.each([
  ['of an ended task', 'done', 3],
  ['of a task without an attempt', 'failed', undefined],
])(
  'a row %s is erased, except for what late messages are compared with',
  async (_what, status, taskToken) => {
    const { noteId, erased, Item } = await erase({ status, taskToken, text: 'personal' }, taskToken);
    expect(erased).toBe(true);
    expect(Item).toEqual({
      noteId,
      requestHash: 'hash',
      ...(taskToken !== undefined && { taskToken }),
      status: 'deleted',
      deletedBy: 'c-1',
      deletedAt: expect.stringMatching(/^20.*Z$/),
      expiresAt: expect.any(Number),
    });
    const days = (Number(Item?.['expiresAt']) - Date.now() / 1000) / 86_400;
    expect(Math.round(days)).toBe(36);
  },
);

test.each([
  ['whose task has not ended', 'accepted', 3, 3],
  ['that a later attempt has changed', 'done', 4, 3],
  ['that an attempt has changed', 'done', 4, undefined],
])('a row %s stays as it is', async (_what, status, taskToken, known) => {
  const row = { status, taskToken, text: 'personal' };
  await expect(erase(row, known)).resolves.toMatchObject({ erased: false, Item: row });
});
