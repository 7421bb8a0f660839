// Emulators of SQS and DynamoDB in this process.
import { mkdtempSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildApp } from 'fauxqs';
import dynalite from 'dynalite';
import { HOST } from './ports.ts';
import { mendFauxqs } from './sqs/mended-fauxqs.ts';
import { characterFrom, type SqsCharacter } from './sqs/sqs-character.ts';

/** How long a stop waits for a request that does not end. */
const STOP_PATIENCE_MS = 2000;

/** An emulator of an AWS service that runs in this process. */
export interface Emulator {
  readonly endpoint: string;
  stop(): Promise<void>;
}

/**
 * Starts an emulator of SQS (fauxqs, made as strict as AWS). Its queues live as long as it runs. It listens at this machine
 * only, unless `host` says otherwise.
 *
 * @param character - default: what SQS_SEED and SQS_HOSTILE say
 */
export async function startSqs(
  port: number,
  host: string = HOST,
  character: SqsCharacter = characterFrom(process.env),
): Promise<Emulator> {
  await mendFauxqs(character);
  const app = buildApp({ logger: false });
  const endpoint = await app.listen({ port, host });
  return { endpoint, stop: () => app.close() };
}

/** Where an emulator of DynamoDB keeps its tables. On disk means in a temporary folder, which its stop removes. */
export type TablePlace = 'in memory' | 'on disk';

/**
 * Starts an emulator of DynamoDB (dynalite). Its tables live as long as it runs. It listens at this machine only, unless
 * `host` says otherwise.
 *
 * @param place - on disk, rows take no memory. Default: in memory
 */
export async function startDynamoDb(
  port: number,
  host: string = HOST,
  place: TablePlace = 'in memory',
): Promise<Emulator> {
  const path = place === 'on disk' ? mkdtempSync(join(tmpdir(), 'baton-tables-')) : undefined;
  const server = dynalite({ createTableMs: 0, ...(path !== undefined && { path }) });
  const endpoint = await listen(server, port, host);
  // Otherwise a connection that is answered after the stop would be kept for a next request
  server.on('request', (_request, response) => {
    response.once('close', () => server.listening || server.closeIdleConnections());
  });
  const stop = async (): Promise<void> => {
    await close(server);
    if (path !== undefined) rmSync(path, { recursive: true, force: true });
  };
  return { endpoint, stop };
}

function listen(server: Server, port: number, host: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  server.once('error', reject);
  server.listen(port, host, () => {
    const address = server.address();
    resolve(`http://${host}:${typeof address === 'object' && address ? address.port : port}`);
  });
  return promise;
}

/** Closes a server after its requests under way. If a store closes during a request, dynalite throws an uncaught error. */
async function close(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  const impatience = setTimeout(() => server.closeAllConnections(), STOP_PATIENCE_MS);
  await promise;
  clearTimeout(impatience);
}
