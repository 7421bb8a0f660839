import { Server } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import { mendFauxqs } from 'baton-dev/embedded/sqs/mended-fauxqs';
import { characterFrom } from 'baton-dev/embedded/sqs/sqs-character';
import { startFauxqs } from 'fauxqs';

const HOST = '127.0.0.1';
const RELEASE = /(approximate_receive_count|approximate_first_receive_timestamp) = \?/g;

/** Makes fauxqs listen only at 127.0.0.1. By itself it listens at every address, without an option against that. */
function listenAtThisMachineOnly(): void {
  const listen = Reflect.get(Server.prototype, 'listen');
  Server.prototype.listen = function (this: Server, options: object, ...rest: unknown[]): Server {
    return Reflect.apply(listen, this, [{ ...options, host: HOST }, ...rest]) as Server;
  } as Server['listen'];
}

/**
 * Keeps the receive count of a released message (visibility 0). fauxqs writes NULL there, which its own table refuses,
 * after it has removed the message from its memory. So it loses the message.
 */
function keepWhatIsReleased(): void {
  const prepare = Reflect.get(DatabaseSync.prototype, 'prepare');
  DatabaseSync.prototype.prepare = function (this: DatabaseSync, sql, ...rest) {
    const text = sql.includes('SET receipt_handle') ? sql.replaceAll(RELEASE, '$1 = COALESCE(?, $1)') : sql;
    return Reflect.apply(prepare, this, [text, ...rest]);
  };
}

/** Turns off syncs to disk: each costs milliseconds, and a kill loses no data that the system has. */
function leaveSyncToTheSystem(): void {
  const exec = Reflect.get(DatabaseSync.prototype, 'exec');
  DatabaseSync.prototype.exec = function (this: DatabaseSync, sql) {
    Reflect.apply(exec, this, [sql]);
    if (sql.includes('journal_mode')) Reflect.apply(exec, this, ['PRAGMA synchronous = OFF']);
  };
}

/** Runs an SQS with its queues in a folder. Runs if this file is the program: `durable-sqs.ts <port> <folder>`. */
async function run(): Promise<void> {
  const [port, dataDir = ''] = process.argv.slice(2);
  listenAtThisMachineOnly();
  keepWhatIsReleased();
  leaveSyncToTheSystem();
  await mendFauxqs(characterFrom(process.env));
  const server = await startFauxqs({ port: Number(port), dataDir, logger: false });
  process.once('SIGTERM', () => void server.stop().then(() => process.exit(0)));
  process.stdout.write(`SQS answers at ${server.address}\n`);
}

if (import.meta.main) await run();
