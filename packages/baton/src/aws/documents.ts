// The client of DynamoDB.
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { BrokenAnswerError, trustOnlyAws } from './answers.ts';
import { leanSettings, leaveOutNeedless } from './lean-client.ts';

const CONNECT_TIMEOUT_MS = 1000;
const REQUEST_TIMEOUT_MS = 5000;
const ATTEMPTS = 3;

/**
 * Makes a DynamoDB client for plain objects. Members that are `undefined` are not written. The AWS SDK reads region,
 * credentials and endpoint from the environment.
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
  // Do not set cacheMiddleware: document clients cannot use it
  leaveOutNeedless(client);
  askForProof(client);
  return DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
}

/**
 * Asks DynamoDB for the consumed capacity with each request, and refuses answers without it. Otherwise `{}` would be a
 * valid answer to a write or to a read without a result, and a broken proxy may answer `{}` too.
 */
function askForProof(client: DynamoDBClient): void {
  client.middlewareStack.add(
    (next) => (args) => next({ ...args, input: { ...args.input, ReturnConsumedCapacity: 'TOTAL' } }),
    { name: 'consumedCapacityMiddleware', step: 'initialize', priority: 'high' },
  );
  trustOnlyAws(client, (call, output) => {
    if (!('ConsumedCapacity' in output)) throw new BrokenAnswerError(call, 'it has no ConsumedCapacity');
  });
}
