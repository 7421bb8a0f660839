import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';

const CONNECT_TIMEOUT_MS = 1000;
const REQUEST_TIMEOUT_MS = 5000;
const ATTEMPTS = 3;

/**
 * Makes a client of DynamoDB that takes and gives plain objects; `undefined` members are left out of what is written.
 * Region, credentials and endpoint come from the environment, as the AWS SDK reads them.
 */
export function createDocumentClient(): DynamoDBDocumentClient {
  const client = new DynamoDBClient({
    maxAttempts: ATTEMPTS,
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
  });
  leaveOutNeedless(client);
  return DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
}

/** What the SDK does for each request, and nobody here looks at. Its `cacheMiddleware` is not for a document client. */
function leaveOutNeedless({ middlewareStack }: DynamoDBClient): void {
  // A filtered copy of every input and every answer, for a logger that writes nothing
  middlewareStack.remove('loggerMiddleware');
  // A name that is put together from some ten parts; this one is what CloudTrail shows
  middlewareStack.add(
    (next) => (args) => {
      (args.request as { headers: Record<string, string> }).headers['user-agent'] = 'baton';
      return next(args);
    },
    { name: 'getUserAgentMiddleware', step: 'build', priority: 'low', override: true },
  );
}
