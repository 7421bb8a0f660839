import { CreateTableCommand } from '@aws-sdk/client-dynamodb';
import type { Backends } from './backends.ts';

/** Creates the table of the notes service, with the key `noteId`. Resolves to its name. */
export async function createNotesTable({ documents, stage }: Backends): Promise<string> {
  const TableName = `baton-${stage}-notes`;
  await documents.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'noteId', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'noteId', KeyType: 'HASH' }],
    }),
  );
  return TableName;
}
