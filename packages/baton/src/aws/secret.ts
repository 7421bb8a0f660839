// A secret of a process: its value, which may change while the process runs.

/** How long a value counts before it is read again, in milliseconds. */
const KEPT_MS = 900_000;
/** How long the last value counts after it could not be read again, in milliseconds. */
const KEPT_AFTER_FAILURE_MS = 30_000;
/** The least time between two reads because a server refused a value, in milliseconds. */
const REFUSAL_REST_MS = 5000;

/** A secret of a service, whose value may change while the process runs. */
export interface Secret<Value> {
  /**
   * Resolves to the value. It is read when it is first needed, and again after 15 minutes. If it cannot be read again, the
   * last one counts, unless a server refused it.
   *
   * @throws an error that says why the value cannot be read. The next call tries again
   */
  value(): Promise<Value>;
  /**
   * Tells that a server refused a value, so the next call of `value` reads it again. Does nothing if a newer value is
   * known, or if a value was refused within the last 5 s.
   */
  refused(value: Value): void;
}

/** Configures a secret. */
export interface SecretOptions<Value> {
  /** Reads the value from where it is kept. */
  readonly read: () => Promise<Value>;
  /** Default: `performance.now`. */
  readonly now?: () => number;
}

/** A secret that is kept for 15 minutes, and for another 30 s if it cannot be read again. Calls at the same time share a read. */
export class KeptSecret<Value> implements Secret<Value> {
  readonly #read: () => Promise<Value>;
  readonly #now: () => number;
  #known: { readonly value: Value } | undefined;
  /** Until when the known value counts. */
  #untilMs = -Infinity;
  #refusedAtMs = -Infinity;
  #isRefused = false;
  #reading: Promise<Value> | undefined;

  constructor({ read, now = () => performance.now() }: SecretOptions<Value>) {
    this.#read = read;
    this.#now = now;
  }

  async value(): Promise<Value> {
    if (this.#known && this.#now() < this.#untilMs) return this.#known.value;
    this.#reading ??= this.#readAgain().finally(() => (this.#reading = undefined));
    return this.#reading;
  }

  refused(value: Value): void {
    const nowMs = this.#now();
    if (this.#known?.value !== value || nowMs < this.#refusedAtMs + REFUSAL_REST_MS) return;
    this.#refusedAtMs = nowMs;
    this.#untilMs = -Infinity;
    this.#isRefused = true;
  }

  async #readAgain(): Promise<Value> {
    try {
      const value = await this.#read();
      this.#known = { value };
      this.#untilMs = this.#now() + KEPT_MS;
      this.#isRefused = false;
      return value;
    } catch (error) {
      if (!this.#known || this.#isRefused) throw error;
      this.#untilMs = this.#now() + KEPT_AFTER_FAILURE_MS;
      return this.#known.value;
    }
  }
}
