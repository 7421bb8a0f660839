// The memory that a worker's event loop shares with its watchdog thread.
import type { AttemptName } from '../../run/running-attempt.ts';

const NUMBERS = 8;
const [BEATS, DEBUGGED, STOP_MS, RUNNING_BYTES, BEGUN_BYTES] = [0, 1, 2, 3, 4];
const BEGUN_MAX_BYTES = 1024;
const RUNNING_MAX_BYTES = 65_536;
const BEGUN_AT = NUMBERS * Int32Array.BYTES_PER_ELEMENT;
const RUNNING_AT = BEGUN_AT + BEGUN_MAX_BYTES;

/** Holds what the event loop reports to the watchdog thread. The thread can read it while the loop is blocked. */
export class WatchdogMemory {
  readonly buffer: SharedArrayBuffer;
  readonly #numbers: Int32Array;
  readonly #begun: Buffer;
  readonly #running: Buffer;

  /** @param buffer - the memory of the other thread. Default: new memory */
  constructor(buffer = new SharedArrayBuffer(RUNNING_AT + RUNNING_MAX_BYTES)) {
    this.buffer = buffer;
    this.#numbers = new Int32Array(buffer, 0, NUMBERS);
    this.#begun = Buffer.from(buffer, BEGUN_AT, BEGUN_MAX_BYTES);
    this.#running = Buffer.from(buffer, RUNNING_AT, RUNNING_MAX_BYTES);
  }

  /** The number of heartbeats of the event loop. */
  get beats(): number {
    return Atomics.load(this.#numbers, BEATS);
  }

  /**
   * Records a heartbeat of the event loop.
   *
   * @param debugged - whether a debugger may pause it
   * @param running - the tasks that run
   */
  beat(debugged: boolean, running: readonly object[]): void {
    this.#numbers[DEBUGGED] = debugged ? 1 : 0;
    const text = JSON.stringify(running);
    this.#numbers[RUNNING_BYTES] = text.length > RUNNING_MAX_BYTES ? 0 : this.#running.write(text);
    Atomics.add(this.#numbers, BEATS, 1);
  }

  /** Whether a debugger may pause the event loop. */
  get debugged(): boolean {
    return this.#numbers[DEBUGGED] === 1;
  }

  /** Within how many milliseconds the process must end. 0 while nobody stops it. */
  get stopWithinMs(): number {
    return Atomics.load(this.#numbers, STOP_MS);
  }

  set stopWithinMs(ms: number) {
    Atomics.store(this.#numbers, STOP_MS, ms);
  }

  /** Records that a handler starts. Called for every task, so it copies only the attempt's name. */
  begins({ task, taskId, messageId, attempt }: AttemptName): void {
    this.#numbers[BEGUN_BYTES] = this.#begun.write(`${task}\n${taskId}\n${messageId}\n${attempt}`);
  }

  /** The attempt that started last. It may have ended since. */
  get lastBegun(): object | null {
    const [task, taskId, messageId, attempt] = this.#text(this.#begun, BEGUN_BYTES).split('\n');
    return task ? { task, taskId, messageId, attempt: Number(attempt) } : null;
  }

  /** The tasks that ran at the last heartbeat. */
  get running(): unknown {
    return JSON.parse(this.#text(this.#running, RUNNING_BYTES) || '[]');
  }

  #text(bytes: Buffer, length: number): string {
    return bytes.toString('utf8', 0, this.#numbers[length]);
  }
}
