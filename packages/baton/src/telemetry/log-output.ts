import { writeSync } from 'node:fs';
import type { DestinationStream } from 'pino';

/** Lines below `error` wait in up to this many bytes; the rest of the room is for errors. */
const MAX_WAITING_BYTES = 7 * 1024 * 1024;
const MAX_WAITING_ERROR_BYTES = 8 * 1024 * 1024;
/** Lines are dropped until this much room is free again, so that a slow reader causes few gaps. */
const RESUME_BELOW_BYTES = MAX_WAITING_BYTES / 2;
/** What one system call writes: as much as a pipe of Linux holds. */
const CHUNK_BYTES = 65_536;
/** A stalled reader is looked at again after 5 ms, then after up to 100 ms. */
const STALLED_RETRY_MS = { first: 5, last: 100 } as const;
/** A disk that is full, or a pipe that nobody reads any more, is tried again after 100 ms, then after up to 5 s. */
const FAILED_RETRY_MS = { first: 100, last: 5000 } as const;
const FLUSH_STEP_MS = 5;
const STALLED: ReadonlySet<string | undefined> = new Set(['EAGAIN', 'EWOULDBLOCK', 'EBUSY']);
const ERROR_LINE = /^\{"level":"(?:error|fatal)"/;

/** How a log output is doing. */
export interface LogOutputState {
  /** Bytes of lines that wait to be written. */
  readonly waitingBytes: number;
  /** Lines that were dropped since the process started. */
  readonly droppedLines: number;
  /** Why nothing can be written, as a system error code: `EAGAIN` if nobody reads, `ENOSPC` if the disk is full. */
  readonly failure: string | null;
}

/** What a log output writes to. */
export interface LogOutputOptions {
  /** A file, or a pipe, socket or terminal whose writes do not block (`standardOutput` makes one). */
  readonly fd: number;
  /** The service's name, on the lines that tell of dropped ones. */
  readonly service: string;
  /** Changes what is written, for a person. Called with one line. Default: JSON lines as they are. */
  readonly format?: (line: string) => string;
  /** Writes as `fs.writeSync` does. Default: that. */
  readonly write?: (fd: number, data: string | Uint8Array) => number;
}

/**
 * Writes log lines, and never waits: neither for a reader that stalls nor for a disk that is full. Lines are written at
 * once, in their order, whole. If that is not possible, they wait in memory, up to 7 MiB, errors up to 8 MiB; what does
 * not fit is dropped, the newest first, because the oldest tell how the trouble began. Once there is room again, a line
 * says how many were dropped, where they are missing.
 */
export class LogOutput implements DestinationStream {
  readonly #options: LogOutputOptions;
  readonly #write: (fd: number, data: string | Uint8Array) => number;
  /** What is being written: whole lines, except that the first may have been written in part. It is never dropped. */
  #chunk: Uint8Array = Buffer.alloc(0);
  #waiting: string[] = [];
  #waitingBytes = 0;
  #droppedLines = 0;
  /** Of the dropped ones, those that no line has told of. */
  #untoldLines = 0;
  #dropping = false;
  #failure: string | null = null;
  #retryMs = 0;
  #retry: NodeJS.Timeout | undefined;

  constructor(options: LogOutputOptions) {
    this.#options = options;
    this.#write = options.write ?? ((fd, data) => writeSync(fd, data as string));
  }

  get state(): LogOutputState {
    return {
      waitingBytes: this.#waitingBytes + this.#chunk.byteLength,
      droppedLines: this.#droppedLines,
      failure: this.#failure,
    };
  }

  /** Writes one or more whole lines, now or as soon as that is possible. Throws nothing. */
  write(lines: string): void {
    if (this.#failure !== null) {
      this.#keep(lines);
      return;
    }
    const text = this.#formatted(lines);
    const bytes = Buffer.byteLength(text);
    const written = this.#tryWrite(text);
    if (written === bytes) return;
    this.#chunk = Buffer.from(text).subarray(written);
    this.#writeWaiting();
  }

  /** Writes what waits, for at most so many milliseconds, in which nothing else runs: for a process that ends. */
  flush(limitMs: number): void {
    for (let spentMs = 0; ; spentMs += FLUSH_STEP_MS) {
      this.#writeWaiting();
      if (!STALLED.has(this.#failure ?? '') || spentMs >= limitMs) return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FLUSH_STEP_MS);
    }
  }

  #keep(lines: string): void {
    const bytes = Buffer.byteLength(lines);
    const isError = ERROR_LINE.test(lines);
    const { waitingBytes } = this.state;
    if (waitingBytes < RESUME_BELOW_BYTES) this.#dropping = false;
    const room = (isError ? MAX_WAITING_ERROR_BYTES : MAX_WAITING_BYTES) - waitingBytes;
    if (bytes > room || (this.#dropping && !isError)) {
      this.#dropping = true;
      const dropped = lines.split('\n').length - 1;
      this.#droppedLines += dropped;
      this.#untoldLines += dropped;
      return;
    }
    this.#tellOfDropped();
    this.#push(lines, bytes);
  }

  #tellOfDropped(): void {
    if (this.#untoldLines === 0) return;
    const line = JSON.stringify({
      level: 'error',
      time: new Date().toISOString(),
      service: this.#options.service,
      droppedLines: this.#untoldLines,
      message: 'log lines are missing here: they could not be written and did not fit in memory',
    });
    this.#untoldLines = 0;
    this.#push(`${line}\n`, line.length + 1);
  }

  #push(lines: string, bytes: number): void {
    this.#waiting.push(lines);
    this.#waitingBytes += bytes;
  }

  /** Writes what waits until it is done or cannot go on; then tries again later. */
  #writeWaiting(): void {
    clearTimeout(this.#retry);
    while (this.#chunk.byteLength > 0 || this.#takeChunk()) {
      const written = this.#tryWrite(this.#chunk);
      this.#chunk = this.#chunk.subarray(written);
      // Some devices take nothing, and say nothing
      if (written === 0) this.#failure ??= 'EAGAIN';
      if (this.#failure !== null) {
        this.#retry = setTimeout(() => this.#writeWaiting(), this.#retryMs).unref();
        return;
      }
    }
  }

  #takeChunk(): boolean {
    // Where they are missing: behind all that waited when they were dropped
    if (this.#waiting.length === 0) this.#tellOfDropped();
    if (this.#waiting.length === 0) return false;
    let bytes = 0;
    let count = 0;
    while (count < this.#waiting.length && bytes < CHUNK_BYTES) bytes += this.#waiting[count++]?.length ?? 0;
    const lines = this.#waiting.splice(0, count).join('');
    this.#waitingBytes -= Buffer.byteLength(lines);
    this.#chunk = Buffer.from(this.#formatted(lines));
    return true;
  }

  /** The bytes that were written. Less than all of them, or a failure, is no reason to stop anything. */
  #tryWrite(data: string | Uint8Array): number {
    try {
      const written = this.#write(this.#options.fd, data);
      this.#failure = null;
      this.#retryMs = 0;
      return written;
    } catch (error) {
      this.#failure = (error as NodeJS.ErrnoException).code ?? String(error);
      const { first, last } = STALLED.has(this.#failure) ? STALLED_RETRY_MS : FAILED_RETRY_MS;
      this.#retryMs = Math.min(last, Math.max(first, this.#retryMs * 2));
      return 0;
    }
  }

  #formatted(lines: string): string {
    const { format } = this.#options;
    if (!format) return lines;
    return lines
      .split('\n')
      .map((line) => (line === '' ? '' : format(line)))
      .join('');
  }
}
