// DynamoDB Local.
import { type JavaPackage, JavaServer } from './java-server.ts';
import { freePort } from '../program.ts';

/** DynamoDB Local, AWS's own emulator. */
export const DYNAMODB_LOCAL: JavaPackage = {
  folder: 'dynamodb-local',
  artifact: 'DynamoDBLocal',
  mainClass: 'com.amazonaws.services.dynamodbv2.local.main.ServerRunner',
};

/** Starts a DynamoDB Local that keeps its tables in memory. It can only listen at every address. */
export async function startDynamoDbLocal(): Promise<JavaServer> {
  const port = await freePort();
  return JavaServer.start(DYNAMODB_LOCAL, {
    endpoint: `http://127.0.0.1:${port}`,
    // Its SQLite is a library beside the jars
    javaOptions: (jars) => ['-Xmx512m', `-Djava.library.path=${jars}`],
    args: ['-inMemory', '-sharedDb', '-disableTelemetry', '-port', String(port)],
  });
}
