import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const RETRY_MS = 20;

/** The address that everything of the embedded runtime listens at: this machine only. */
export const HOST = '127.0.0.1';

/**
 * Checks that ports can be listened at, before anything starts.
 *
 * @param ports - by the names of the variables that set them
 * @throws Error naming every port that is taken, and its variable
 */
export async function checkPortsFree(ports: Readonly<Record<string, number>>): Promise<void> {
  const taken: string[] = [];
  for (const [variable, port] of Object.entries(ports)) {
    if (!(await isFree(port)))
      taken.push(`Port ${port} is taken by another program; set ${variable} to a free one.`);
  }
  if (taken.length > 0) throw new Error(taken.join('\n'));
}

/** Resolves once somebody listens at a port. */
export async function untilListening(port: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && !(await answers(port))) await sleep(RETRY_MS);
}

function isFree(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const server = createServer();
  server.once('error', () => resolve(false));
  server.listen(port, HOST, () => server.close(() => resolve(true)));
  return promise;
}

function answers(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, HOST);
  socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  return promise.finally(() => socket.destroy());
}
