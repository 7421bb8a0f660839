import { startDynamoDb, startSqs } from 'baton-dev/embedded/emulators';

// The program of the emulators' container, for services in containers beside it.

/** Other containers must reach it. The start of the container decides which ports are published. */
const EVERY_ADDRESS = '0.0.0.0';

await Promise.all([startSqs(4566, EVERY_ADDRESS), startDynamoDb(4567, EVERY_ADDRESS)]);
process.stdout.write('listening\n');
