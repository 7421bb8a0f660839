import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { BrokenAnswerError, trustOnlyAws } from './answers.ts';
import { leanSettings, leaveOutNeedless } from './lean-client.ts';

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
  askForProof(client);
  return DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
}

/**
 * Has every answer prove that it is DynamoDB's: `{}` would be the whole answer to a write or to a read of nothing, and is
 * also what a broken proxy gives. Where it is asked for, DynamoDB says what a request has consumed.
 */
function askForProof(client: DynamoDBClient): void {
  client.middlewareStack.add(
    (next) => (args) => next({ ...args, input: { ...args.input, ReturnConsumedCapacity: 'TOTAL' } }),
    { name: 'consumedCapacityMiddleware', step: 'initialize', priority: 'high' },
  );
  trustOnlyAws(client, (call, output) => {
    if (!('ConsumedCapacity' in output))
      throw new BrokenAnswerError(call, 'it does not say what the request has consumed');
  });
}
