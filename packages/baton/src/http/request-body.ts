// The bodies of requests: how much of the process's memory and time they take.
import { discardBody, type Exchange } from './connection.ts';
import { heldMemory } from './held-memory.ts';
import { Problem } from './problem.ts';

const FULL_RETRY_AFTER_SECONDS = 1;
/** The buffer of a body grows from here, twice as large each time. */
const FIRST_BYTES = 4096;
/**
 * A body in more chunks than these has at least so many bytes a chunk. Each chunk takes Node some microseconds and 500 bytes,
 * whatever it brings.
 */
const SOME_CHUNKS = 1000;
const LEAST_CHUNK_BYTES = 16;

/** Configures how bodies are read. */
export interface BodyLimits {
  readonly maxBytes: number;
  /** How long a body may take to arrive, in milliseconds. */
  readonly withinMs: number;
  /** Whose share of the memory it takes. */
  readonly peer: string;
}

/** A body, which counts in the memory for bodies until it is given back. */
export interface Body {
  readonly bytes: Buffer;
  readonly giveBack: () => void;
}

/**
 * Reads the body of a request. Refuses one that announces too many bytes before it reads any, and counts the bytes that
 * arrive, not those that are announced. They count until the body is given back.
 *
 * @throws Problem 413 if it is too large or in thousands of chunks of a few bytes, 408 if it does not arrive in time, 503
 *   while other bodies take all the memory, or those of the same peer its share
 */
export async function readBody(exchange: Exchange, limits: BodyLimits): Promise<Body> {
  const { maxBytes } = limits;
  const { request, response } = exchange;
  const { 'content-length': length, 'transfer-encoding': coding, expect } = request.headers;
  if (length === undefined && coding === undefined)
    return { bytes: Buffer.alloc(0), giveBack: () => undefined };
  if (Number(length ?? 0) > maxBytes) throw tooLarge(`${length} bytes`, maxBytes);
  if (expect !== undefined) response.writeContinue();
  return arriving(exchange, limits);
}

function arriving({ request }: Exchange, { maxBytes, withinMs, peer }: BodyLimits): Promise<Body> {
  const { promise, resolve, reject } = Promise.withResolvers<Body>();
  // One buffer, because each buffer of Node takes several hundred bytes more than it holds
  let whole = Buffer.alloc(0);
  let bytes = 0;
  let chunks = 0;
  const giveBack = (): void => {
    heldMemory.giveBack(peer, whole.byteLength);
    whole = Buffer.alloc(0);
  };
  const refuse = (error: Error): void => {
    // The connection closes after the answer
    request.off('data', take);
    discardBody(request);
    giveBack();
    reject(error);
  };
  const take = (chunk: Buffer): void => {
    const needed = bytes + chunk.byteLength;
    chunks += 1;
    if (needed > maxBytes) return refuse(tooLarge(`more than ${maxBytes} bytes`, maxBytes));
    if (chunks > SOME_CHUNKS && needed < chunks * LEAST_CHUNK_BYTES) return refuse(inPieces(chunks, needed));
    if (needed > whole.byteLength) {
      const larger = Math.min(maxBytes, Math.max(FIRST_BYTES, 2 * whole.byteLength, needed));
      if (!heldMemory.take(peer, larger - whole.byteLength)) return refuse(full());
      whole = Buffer.concat([whole.subarray(0, bytes)], larger);
    }
    bytes += chunk.copy(whole, bytes);
  };
  const timer = setTimeout(() => refuse(tooSlow(withinMs)), withinMs);
  request.on('data', take);
  request.once('end', () => resolve({ bytes: whole.subarray(0, bytes), giveBack }));
  request.once('error', refuse);
  return promise.finally(() => clearTimeout(timer));
}

function tooLarge(what: string, maxBytes: number): Problem {
  const detail = `The body has ${what}; expected at most ${maxBytes}.`;
  return new Problem('body-too-large', { detail, headers: { connection: 'close' } });
}

function inPieces(chunks: number, bytes: number): Problem {
  const detail = `The body has ${chunks} chunks for ${bytes} bytes; expected at least ${LEAST_CHUNK_BYTES} bytes a chunk.`;
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
