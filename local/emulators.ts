import type { Server } from 'node:http';
import { buildApp } from 'fauxqs';
import { dynalite } from './dynalite.ts';
import { HOST } from './ports.ts';
import { mendFauxqs } from './sqs/mended-fauxqs.ts';
import { characterFrom, type SqsCharacter } from './sqs/sqs-character.ts';

/** For a request that is never sent to its end. */
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

/** Starts an emulator of DynamoDB (dynalite). Its tables live as long as it runs. It listens at this machine only, unless `host` says otherwise. */
export async function startDynamoDb(port: number, host: string = HOST): Promise<Emulator> {
  const server = dynalite({ createTableMs: 0 });
  const endpoint = await listen(server, port, host);
  // A connection that was answered after the stop would be kept for a next request
  server.on('request', (_request, response) => {
    response.once('close', () => server.listening || server.closeIdleConnections());
  });
  return { endpoint, stop: () => close(server) };
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

/** Answers what was asked already: dynalite throws, and nobody can catch it, where its store is closed under a request. */
async function close(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  const impatience = setTimeout(() => server.closeAllConnections(), STOP_PATIENCE_MS);
  await promise;
  clearTimeout(impatience);
}
