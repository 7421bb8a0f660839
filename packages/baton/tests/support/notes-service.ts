// A service as users write it, in one file: it accepts notes and files them with a tracked task.
import { createService, createTrackedConsumer, runService, text } from 'baton-tasks/service';
import {
  createApi,
  hashOfRequest,
  IdempotencyKeys,
  Intake,
  type IntakeRow,
  notFound,
  route,
} from 'baton-tasks/http';
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { defineTask, implement } from 'baton-tasks';
import * as z from 'zod';

interface NoteRow extends IntakeRow {
  readonly text: string;
}

const fileNote = defineTask({
  name: 'tests.file-note',
  queue: 'default',
  payload: z.object({ noteId: z.string() }),
  result: z.object({}),
  retry: { maxAttempts: 3, baseSeconds: 1 },
  timeoutSeconds: 20,
  tracked: true,
});

const service = createService({
  name: 'notes-service',
  version: '1.0.0',
  port: 8999,
  variables: z.object({ NOTES_TABLE: text("the name of this service's table") }),
  tracks: true,
});
const { documents, logger, tasks, taskStore } = service;
const table = service.config.NOTES_TABLE;
const namespace = '00000000-0000-4000-8000-000000000001';
const keys = new IdempotencyKeys({ documents, table, key: 'noteId', namespace });
const intake = new Intake<NoteRow>({ documents, table, key: 'noteId', logger });

async function find(noteId: string): Promise<NoteRow | undefined> {
  const { Item } = await documents.send(
    new GetCommand({ TableName: table, Key: { noteId }, ConsistentRead: true }),
  );
  return Item as NoteRow | undefined;
}

const postNote = route(
  'POST',
  '/notes',
  { body: z.strictObject({ text: z.string() }) },
  async ({ body, caller, headers, trace }) => {
    const requestHash = hashOfRequest(body);
    const noteId = await keys.idOf({ headers, caller, requestHash });
    await intake.accept({
      id: noteId,
      requestHash,
      row: body,
      listing: {},
      sendTask: () => tasks.send(fileNote, { noteId }, { taskId: noteId, trace }),
    });
    return { status: 202, headers: { location: `/notes/${noteId}` }, body: { noteId } };
  },
);

const getNote = route('GET', '/notes/{noteId}', {}, async ({ param }) => {
  const row = await find(param('noteId'));
  if (!row) throw notFound('note', param('noteId'));
  return { status: 200, body: { noteId: param('noteId'), text: row.text } };
});

await runService(service, {
  handler: createApi(service, [postNote, getNote]),
  functions: { filing: createTrackedConsumer(service, [implement(fileNote, () => ({}))]) },
  ready: {
    table: () => find('ping'),
    tasks: () => taskStore.ping(),
    queue: () => tasks.ping(fileNote),
  },
});
