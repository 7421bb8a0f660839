import { closeSync, fstatSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A finished nap. */
export interface PastNap {
  /** Milliseconds since 1970, by its worker's clock. */
  readonly endedMs: number;
  /** The planned length. */
  readonly ms: number;
}

/** A file to which each finished nap adds a line before its worker settles it. No kill can undo that. */
export class NapSink {
  /** The folder, which has no other files. */
  readonly folder = mkdtempSync(join(tmpdir(), 'baton-naps-'));
  /** The path of the file, for NAP_SINK of workers. */
  readonly path = join(this.folder, 'sink');
  readonly #file = openSync(this.path, 'w+');
  readonly #done = new Map<string, number>();
  readonly #rejected = new Map<string, number>();
  readonly #past: PastNap[] = [];
  readonly #begun = new Map<string, string>();
  #readBytes = 0;

  /** How often each nap was done so far, by task id. */
  get done(): ReadonlyMap<string, number> {
    this.#read();
    return this.#done;
  }

  /** How often each nap was rejected so far, by task id. */
  get rejected(): ReadonlyMap<string, number> {
    this.#read();
    return this.#rejected;
  }

  /** The worker that last started each nap so far, by task id. Only workers with NAP_BEGINNER record that. */
  get lastBegun(): ReadonlyMap<string, string> {
    this.#read();
    return this.#begun;
  }

  /** All naps that have ended so far, in order. */
  get past(): readonly PastNap[] {
    this.#read();
    return this.#past;
  }

  /** Deletes the file. */
  clear(): void {
    closeSync(this.#file);
    rmSync(this.folder, { recursive: true });
  }

  #read(): void {
    const bytes = Buffer.alloc(fstatSync(this.#file).size - this.#readBytes);
    readSync(this.#file, bytes, 0, bytes.byteLength, this.#readBytes);
    const whole = bytes.subarray(0, bytes.lastIndexOf('\n') + 1);
    this.#readBytes += whole.byteLength;
    for (const line of whole.toString().split('\n').filter(Boolean)) {
      const [id = '', end, endedMs = '', ms] = line.split(' ');
      if (end === 'begun') {
        this.#begun.set(id, endedMs);
        continue;
      }
      const naps = end === 'done' ? this.#done : this.#rejected;
      naps.set(id, (naps.get(id) ?? 0) + 1);
      this.#past.push({ endedMs: Number(endedMs), ms: Number(ms) });
    }
  }
}
