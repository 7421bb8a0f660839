// The output of log lines: never waits for a reader or a disk.
import { writeSync } from 'node:fs';
import type { DestinationStream } from 'pino';

/** Limits of the lines that wait to be written. Only lines of level `error` and above use the space between the two. */
const MAX_WAITING_BYTES = 7 * 1024 * 1024;
const MAX_WAITING_ERROR_BYTES = 8 * 1024 * 1024;
/** Once lines are dropped, all are, until fewer bytes than this wait: so a slow reader causes few gaps. */
const RESUME_BELOW_BYTES = MAX_WAITING_BYTES / 2;
/** One system call writes as much as a Linux pipe holds. */
const CHUNK_BYTES = 65_536;
/** When to try again after a reader has stalled, in milliseconds. The rest doubles. */
const STALLED_RETRY_MS = { first: 5, last: 100 } as const;
/** The same after another failure, such as a full disk or a pipe that nobody reads any more. */
const FAILED_RETRY_MS = { first: 100, last: 5000 } as const;
const FLUSH_STEP_MS = 5;
const STALLED: ReadonlySet<string | undefined> = new Set(['EAGAIN', 'EWOULDBLOCK', 'EBUSY']);
const ERROR_LINE = /^\{"level":"(?:error|fatal)"/;

/** The state of a log output. */
export interface LogOutputState {
  /** How many bytes wait to be written. */
  readonly waitingBytes: number;
  /** How many lines were dropped since the process started. */
  readonly droppedLines: number;
  /** Why nothing can be written, as a system error code: `EAGAIN` if nobody reads, `ENOSPC` if the disk is full. */
  readonly failure: string | null;
}

/** Configures a log output. */
export interface LogOutputOptions {
  /** The descriptor of a file, or of a pipe, socket or terminal whose writes do not block (`standardOutput` opens one). */
  readonly fd: number;
  /** The service's name, for the lines that report dropped lines. */
  readonly service: string;
  /** Formats one line for a person. Default: lines stay JSON. */
  readonly format?: (line: string) => string;
  /** Writes like `fs.writeSync`, which is the default. */
  readonly write?: (fd: number, data: string | Uint8Array) => number;
}

/**
 * Writes log lines without ever waiting, neither for a stalled reader nor for a full disk. It writes lines at once, whole
 * and in their order. If it cannot, lines wait in memory: up to 7 MiB, errors up to 8 MiB. New lines that do not fit are
 * dropped, because the oldest lines tell how the trouble began. Once there is space again, a line at that place says how
 * many are missing.
 */
export class LogOutput implements DestinationStream {
  readonly #options: LogOutputOptions;
  readonly #write: (fd: number, data: string | Uint8Array) => number;
  /** The lines being written. A part of the first may have been written already, so it is never dropped. */
  #chunk: Uint8Array = Buffer.alloc(0);
  #waiting: string[] = [];
  #waitingBytes = 0;
  #droppedLines = 0;
  /** How many dropped lines have not been reported yet. */
  #unreportedLines = 0;
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

  /** Writes one or more whole lines, now or as soon as possible. Never throws. */
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

  /**
   * Writes the waiting lines before the process ends. Blocks the process meanwhile.
   *
   * @param limitMs - the longest time that this takes, in milliseconds
   */
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
    const freeBytes = (isError ? MAX_WAITING_ERROR_BYTES : MAX_WAITING_BYTES) - waitingBytes;
    if (bytes > freeBytes || (this.#dropping && !isError)) {
      this.#dropping = true;
      const dropped = lines.split('\n').length - 1;
      this.#droppedLines += dropped;
      this.#unreportedLines += dropped;
      return;
    }
    this.#reportDropped();
    this.#push(lines, bytes);
  }

  #reportDropped(): void {
    if (this.#unreportedLines === 0) return;
    const line = JSON.stringify({
      level: 'error',
      time: new Date().toISOString(),
      service: this.#options.service,
      droppedLines: this.#unreportedLines,
      message: 'log lines are missing here: they could not be written, and did not fit into memory',
    });
    this.#unreportedLines = 0;
    this.#push(`${line}\n`, line.length + 1);
  }

  #push(lines: string, bytes: number): void {
    this.#waiting.push(lines);
    this.#waitingBytes += bytes;
  }

  /** Writes waiting lines until all are written or a write fails. After a failure it tries again later. */
  #writeWaiting(): void {
    clearTimeout(this.#retry);
    while (this.#chunk.byteLength > 0 || this.#takeChunk()) {
      const written = this.#tryWrite(this.#chunk);
      this.#chunk = this.#chunk.subarray(written);
      // Some devices write nothing and report no error
      if (written === 0) this.#failure ??= 'EAGAIN';
      if (this.#failure !== null) {
        this.#retry = setTimeout(() => this.#writeWaiting(), this.#retryMs).unref();
        return;
      }
    }
  }

  #takeChunk(): boolean {
    // Dropped lines are missing behind all lines that waited when they were dropped
    if (this.#waiting.length === 0) this.#reportDropped();
    if (this.#waiting.length === 0) return false;
    let bytes = 0;
    let count = 0;
    while (count < this.#waiting.length && bytes < CHUNK_BYTES) bytes += this.#waiting[count++]?.length ?? 0;
    const lines = this.#waiting.splice(0, count).join('');
    this.#waitingBytes -= Buffer.byteLength(lines);
    this.#chunk = Buffer.from(this.#formatted(lines));
    return true;
  }

  /** Returns how many bytes were written, 0 after a failure. Never throws. */
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
