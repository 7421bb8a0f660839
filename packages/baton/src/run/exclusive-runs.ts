// Lets a task that may kill its process run alone.

/** How long a suspect waits for running tasks. Then it runs beside them. */
const PATIENCE_MS = 30_000;
/** How long a suspect keeps other tasks from starting. A task that kills its process mostly does so soon. */
const ALONE_MS = 10_000;
/** Suspects that wait have their turns one right after another for so long. Then other tasks run first. */
const IN_A_ROW_MS = 10_000;

/** Configures exclusive runs. */
export interface ExclusiveRunsOptions {
  /** How long a suspect waits for running tasks, in milliseconds. Default 30,000. */
  readonly patienceMs?: number;
  /** How long a suspect keeps other tasks from starting, in milliseconds. Default 10,000. */
  readonly aloneMs?: number;
  /**
   * How long other tasks may start before the next suspect keeps them from it, as a multiple of the time that they were
   * kept from it before. Default 1: suspects take at most half of a process's time.
   */
  readonly openFor?: number;
  /** Called when other tasks must not start any more. */
  readonly onClose?: () => void;
  /** Called when they may start again. */
  readonly onOpen?: () => void;
}

/** A suspect's turn to run. */
export interface Turn {
  /** Whether no other task runs in the process. */
  readonly alone: boolean;
  /** Ends the turn: the next suspect has its turn, or other tasks may start again. */
  over(): void;
}

/**
 * Lets a suspect run alone, like the writer of a readers-writer lock. From its request on, no other task starts. Its turn
 * comes when all running tasks have ended, or after a limited wait, because a task may run for hours. Its turn ends when
 * it has ended or has run for a while. Several suspects have their turns one after another.
 *
 * A sender can make suspects, because the notes that count crashes are message attributes. So other tasks may start for as
 * long as they were kept from it, before the next suspect is let in.
 */
export class ExclusiveRuns {
  readonly #options: ExclusiveRunsOptions;
  readonly #waiting: ((turn: Turn) => void)[] = [];
  #running = 0;
  #turn: Turn | undefined;
  #patience: NodeJS.Timeout | undefined;
  #limit: NodeJS.Timeout | undefined;
  #impatient = false;
  #opened = Promise.withResolvers<boolean>();
  #closed = false;
  #closedAtMs = 0;
  /** When a suspect may keep other tasks from starting again. */
  #openUntilMs = -Infinity;
  #closing: NodeJS.Timeout | undefined;

  constructor(options: ExclusiveRunsOptions = {}) {
    this.#options = options;
  }

  /** Whether no task may start, because a suspect runs or waits. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Resolves to whether tasks may start again within so many milliseconds and before `signal` aborts. */
  async opened(withinMs: number, signal: AbortSignal): Promise<boolean> {
    const late = Promise.withResolvers<boolean>();
    const stop = (): void => late.resolve(false);
    const timer = setTimeout(stop, withinMs);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    try {
      while (this.#closed) if (!(await Promise.race([this.#opened.promise, late.promise]))) return false;
      return true;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
    }
  }

  /** Records that a task starts, suspect or not. */
  begin(): void {
    this.#running += 1;
  }

  /** Records that a task has ended. */
  end(): void {
    this.#running -= 1;
    if (this.#closed) this.#next();
  }

  /** Waits for the turn of a suspect that has called `begin`. @throws the reason of `signal` if that aborts first */
  async turn(signal: AbortSignal): Promise<Turn> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<Turn>();
    const leave = (): void => {
      const place = this.#waiting.indexOf(resolve);
      // Its turn has come already
      if (place < 0) return;
      this.#waiting.splice(place, 1);
      this.#running += 1;
      reject(signal.reason as Error);
      if (!this.#turn && this.#waiting.length === 0) this.#open();
    };
    signal.addEventListener('abort', leave, { once: true });
    this.#waiting.push(resolve);
    // A waiting suspect does not count as running
    this.#running -= 1;
    if (this.#closed) this.#next();
    else this.#closeInTime();
    return promise.finally(() => signal.removeEventListener('abort', leave));
  }

  #next(): void {
    if (this.#turn || (this.#running > 0 && !this.#impatient)) return;
    const give = this.#waiting.shift();
    if (!give) return this.#open();
    this.#running += 1;
    const { aloneMs = ALONE_MS } = this.#options;
    const turn = { alone: this.#running === 1, over: () => this.#over(turn) };
    this.#turn = turn;
    this.#limit = setTimeout(turn.over, aloneMs).unref();
    give(turn);
  }

  #over(turn: Turn): void {
    if (this.#turn !== turn) return;
    this.#turn = undefined;
    clearTimeout(this.#limit);
    const { openFor = 1 } = this.#options;
    const toOthers = openFor > 0 && performance.now() - this.#closedAtMs >= IN_A_ROW_MS;
    if (this.#waiting.length === 0 || toOthers) this.#open();
    else this.#next();
  }

  /** Keeps other tasks from starting for the suspects that wait, once those have had their time. */
  #closeInTime(): void {
    const leftMs = this.#openUntilMs - performance.now();
    if (leftMs <= 0) this.#close();
    else this.#closing ??= setTimeout(() => this.#close(), leftMs).unref();
  }

  #close(): void {
    clearTimeout(this.#closing);
    this.#closing = undefined;
    if (this.#waiting.length === 0) return;
    this.#closed = true;
    this.#closedAtMs = performance.now();
    this.#opened = Promise.withResolvers();
    const { patienceMs = PATIENCE_MS, onClose } = this.#options;
    this.#patience = setTimeout(() => {
      this.#impatient = true;
      this.#next();
    }, patienceMs).unref();
    onClose?.();
    this.#next();
  }

  #open(): void {
    if (!this.#closed) return;
    const nowMs = performance.now();
    const { openFor = 1, onOpen } = this.#options;
    this.#openUntilMs = nowMs + openFor * (nowMs - this.#closedAtMs);
    this.#closed = false;
    this.#impatient = false;
    clearTimeout(this.#patience);
    this.#opened.resolve(true);
    onOpen?.();
    if (this.#waiting.length > 0) this.#closeInTime();
  }
}
