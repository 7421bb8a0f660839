import { startDynamoDb, startSqs } from 'baton-dev/embedded/emulators';

/** Reached from other containers, and from nowhere else: what is published is up to whoever starts this one. */
const EVERY_ADDRESS = '0.0.0.0';

/** The program of the container that has the emulators, for services in containers beside it. */
await Promise.all([startSqs(4566, EVERY_ADDRESS), startDynamoDb(4567, EVERY_ADDRESS)]);
process.stdout.write('listening\n');
