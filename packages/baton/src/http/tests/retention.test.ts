import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { type Backends, startBackends } from '../../../tests/support/backends.ts';
import { createNotesTable } from '../../../tests/support/notes-table.ts';
import { parseConfig } from '../../process/config.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { Intake, type IntakeRow } from '../intake.ts';
import { Retention, retentionDays } from '../retention.ts';

const START_SECONDS = 1_800_000_000;
const DAY_SECONDS = 86_400;

let backends: Backends;
let table: string;

beforeAll(async () => {
  backends = await startBackends([]);
  table = await createNotesTable(backends);
});
afterAll(() => backends.stop());

const retentionOf = (days: number, seconds = START_SECONDS) =>
  new Retention({ documents: backends.documents, days, now: () => seconds * 1000 + 999 });

describe('the variable of a retention', () => {
  const read = (NOTE_RETENTION_DAYS: string) =>
    parseConfig(z.object({ NOTE_RETENTION_DAYS: retentionDays(90) }), { NOTE_RETENTION_DAYS })
      .NOTE_RETENTION_DAYS;

  test.each([
    ['', 90],
    ['0', 0],
    ['36', 36],
    ['36500', 36_500],
  ])('%j means %d days', (value, days) => {
    expect(read(value)).toBe(days);
  });

  test.each(['35', '1', '-1', '36501', '1.5', 'for ever', '999999'])(
    'is refused as %j, with what is expected',
    (value) => {
      expect(() => read(value)).toThrow(
        `NOTE_RETENTION_DAYS held "${value}": expected 0 (for ever), or a whole number of days from 36 to 36500`,
      );
    },
  );
});

describe('a row that is kept for 30 days', () => {
  test('is over 30 days after it was written, to the second', () => {
    const { expiresAt } = retentionOf(30);
    expect(expiresAt).toBe(START_SECONDS + 30 * DAY_SECONDS);
    expect(retentionOf(30, START_SECONDS + 30 * DAY_SECONDS - 1).isOver({ expiresAt })).toBe(false);
    expect(retentionOf(30, START_SECONDS + 30 * DAY_SECONDS).isOver({ expiresAt })).toBe(true);
  });

  test('keeps the time that it got, even if rows are kept for ever from now on', () => {
    const { expiresAt } = retentionOf(30);
    expect(retentionOf(0, START_SECONDS + 30 * DAY_SECONDS).isOver({ expiresAt })).toBe(true);
  });
});

test('a row that is kept for ever has no time to live, and is never over', () => {
  const { expiresAt } = retentionOf(0);
  expect(expiresAt).toBeUndefined();
  expect(retentionOf(30, 2 * START_SECONDS).isOver({})).toBe(false);
});

test.each([
  ['for 30 days', 30, START_SECONDS + 30 * DAY_SECONDS],
  ['for ever', 0, undefined],
])('an intake keeps accepted rows %s if its retention says so', async (_what, days, expiresAt) => {
  const { documents } = backends;
  const logger = createLogger({ service: 'tests', level: 'silent' });
  const retention = retentionOf(days);
  const intake = new Intake<IntakeRow>({ documents, table, key: 'noteId', logger, retention });
  const id = `kept ${days}`;
  await intake.accept({ id, requestHash: 'same', row: {}, listing: {}, sendTask: async () => undefined });
  const { Item } = await documents.send(new GetCommand({ TableName: table, Key: { noteId: id } }));
  expect(Item).toMatchObject({ status: 'accepted' });
  expect(Item?.['expiresAt']).toBe(expiresAt);
});
