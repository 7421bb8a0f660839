import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { leanSettings, leaveOutNeedless } from '../queue/lean-client.ts';

const CONNECT_TIMEOUT_MS = 1000;
const REQUEST_TIMEOUT_MS = 5000;
const ATTEMPTS = 3;

/**
 * Makes a client of DynamoDB that takes and gives plain objects; `undefined` members are left out of what is written.
 * Region, credentials and endpoint come from the environment, as the AWS SDK reads them.
 */
export function createDocumentClient(): DynamoDBDocumentClient {
  const client = new DynamoDBClient({
    ...leanSettings,
    maxAttempts: ATTEMPTS,
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
  });
  // Its cacheMiddleware is not for a document client
  leaveOutNeedless(client);
  return DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
}
