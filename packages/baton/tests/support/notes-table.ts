import { CreateTableCommand } from '@aws-sdk/client-dynamodb';
import type { Backends } from './backends.ts';

/** Creates the table of a service that accepts notes. Its key is `noteId`. Resolves to its name. */
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
