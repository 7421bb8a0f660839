// The bodies of requests: how much of the process's memory and time they take.
import type { Exchange } from './connection.ts';
import { peerOf, PeerShares } from './peer-shares.ts';
import { Problem } from './problem.ts';

/** The memory for all bodies of the process. A container has 256 MB, and a body is held about three times while it is parsed. */
const MAX_HELD_BYTES = 32 * 1024 * 1024;
const FULL_RETRY_AFTER_SECONDS = 1;

const held = new PeerShares(MAX_HELD_BYTES);

/** Configures how bodies are read. */
export interface BodyLimits {
  readonly maxBytes: number;
  /** How long a body may take to arrive, in milliseconds. */
  readonly withinMs: number;
}

/**
 * Reads the body of a request. Refuses one that announces too many bytes before it reads any, and counts the bytes that
 * arrive, not those that are announced. They count until the request is answered.
 *
 * @throws Problem 413 if it is too large, 408 if it does not arrive in time, 503 while other bodies take all the memory, or
 *   those of the same peer its share
 */
export async function readBody(exchange: Exchange, { maxBytes, withinMs }: BodyLimits): Promise<Buffer> {
  const { request, response } = exchange;
  const { 'content-length': length, 'transfer-encoding': coding, expect } = request.headers;
  if (length === undefined && coding === undefined) return Buffer.alloc(0);
  if (Number(length ?? 0) > maxBytes) throw tooLarge(`${length} bytes`, maxBytes);
  if (expect !== undefined) response.writeContinue();
  return arriving(exchange, maxBytes, withinMs);
}

function arriving({ request, response }: Exchange, maxBytes: number, withinMs: number): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const peer = peerOf(request.socket);
  const chunks: Buffer[] = [];
  let bytes = 0;
  const refuse = (problem: Problem): void => {
    // The rest stays in the socket, which closes after the answer
    request.off('data', take).pause();
    chunks.length = 0;
    reject(problem);
  };
  const take = (chunk: Buffer): void => {
    if (bytes + chunk.byteLength > maxBytes) return refuse(tooLarge(`more than ${maxBytes} bytes`, maxBytes));
    if (!held.take(peer, chunk.byteLength)) return refuse(full());
    bytes += chunk.byteLength;
    chunks.push(chunk);
  };
  const timer = setTimeout(() => refuse(tooSlow(withinMs)), withinMs);
  request.on('data', take);
  request.once('end', () => resolve(Buffer.concat(chunks)));
  request.once('error', reject);
  response.once('close', () => held.giveBack(peer, bytes));
  return promise.finally(() => clearTimeout(timer));
}

function tooLarge(what: string, maxBytes: number): Problem {
  const detail = `The body has ${what}; expected at most ${maxBytes}.`;
  return new Problem('body-too-large', { detail, headers: { connection: 'close' } });
}

function tooSlow(withinMs: number): Problem {
  const detail = `The body did not arrive within ${withinMs / 1000} s.`;
  return new Problem('body-too-slow', { detail, headers: { connection: 'close' } });
}

function full(): Problem {
  const detail = `Other requests use all the memory for bodies. Try again in ${FULL_RETRY_AFTER_SECONDS} s.`;
  const headers = { connection: 'close', 'retry-after': String(FULL_RETRY_AFTER_SECONDS) };
  return new Problem('service-unavailable', { detail, headers });
}
