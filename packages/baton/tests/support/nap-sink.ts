import { closeSync, fstatSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A nap that is over. */
export interface PastNap {
  /** Milliseconds since 1970, by its worker's clock. */
  readonly endedMs: number;
  /** How long it was to take. */
  readonly ms: number;
}

/** The file in which each finished nap leaves a line before its worker settles it: no kill can take that back. */
export class NapSink {
  /** Its folder, which has nothing else. */
  readonly folder = mkdtempSync(join(tmpdir(), 'baton-naps-'));
  /** Where it is: what a worker of naps is given as NAP_SINK. */
  readonly path = join(this.folder, 'sink');
  readonly #file = openSync(this.path, 'w+');
  readonly #done = new Map<string, number>();
  readonly #rejected = new Map<string, number>();
  readonly #past: PastNap[] = [];
  readonly #begun = new Map<string, string>();
  #readBytes = 0;

  /** How often each nap was done, by its task's id, up to now. */
  get done(): ReadonlyMap<string, number> {
    this.#read();
    return this.#done;
  }

  /** How often each nap rejected itself, by its task's id, up to now. */
  get rejected(): ReadonlyMap<string, number> {
    this.#read();
    return this.#rejected;
  }

  /** Who began each nap last, by its task's id, up to now: of workers that are given NAP_BEGINNER. */
  get lastBegun(): ReadonlyMap<string, string> {
    this.#read();
    return this.#begun;
  }

  /** All that are over, in the order of their ends, up to now. */
  get past(): readonly PastNap[] {
    this.#read();
    return this.#past;
  }

  /** Forgets the file. */
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
