import { Server } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import { mendFauxqs } from 'baton-dev/embedded/sqs/mended-fauxqs';
import { characterFrom } from 'baton-dev/embedded/sqs/sqs-character';
import { startFauxqs } from 'fauxqs';

const HOST = '127.0.0.1';
const RELEASE = /(approximate_receive_count|approximate_first_receive_timestamp) = \?/g;

/** fauxqs listens at every address of the machine, and nothing can be set against that. */
function listenAtThisMachineOnly(): void {
  const listen = Reflect.get(Server.prototype, 'listen');
  Server.prototype.listen = function (this: Server, options: object, ...rest: unknown[]): Server {
    return Reflect.apply(listen, this, [{ ...options, host: HOST }, ...rest]) as Server;
  } as Server['listen'];
}

/**
 * fauxqs forgets a message that is released (its visibility set to 0): it writes NULL for the receive count, which its
 * own table refuses, after it has taken the message out of its memory. Here the count stays as it was.
 */
function keepWhatIsReleased(): void {
  const prepare = Reflect.get(DatabaseSync.prototype, 'prepare');
  DatabaseSync.prototype.prepare = function (this: DatabaseSync, sql, ...rest) {
    const text = sql.includes('SET receipt_handle') ? sql.replaceAll(RELEASE, '$1 = COALESCE(?, $1)') : sql;
    return Reflect.apply(prepare, this, [text, ...rest]);
  };
}

/** A kill takes nothing from what the system has been given; only a power cut would, and each sync costs milliseconds. */
function leaveSyncToTheSystem(): void {
  const exec = Reflect.get(DatabaseSync.prototype, 'exec');
  DatabaseSync.prototype.exec = function (this: DatabaseSync, sql) {
    Reflect.apply(exec, this, [sql]);
    if (sql.includes('journal_mode')) Reflect.apply(exec, this, ['PRAGMA synchronous = OFF']);
  };
}

/** Runs an SQS whose queues are in a folder, when this file is the program: `durable-sqs.ts <port> <folder>`. */
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
