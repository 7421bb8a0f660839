/** A suspect waits for what runs for at most this long; then it runs beside that. */
const PATIENCE_MS = 30_000;
/** What kills a process mostly does so soon. A suspect that has run for so long does not keep others waiting any longer. */
const ALONE_MS = 10_000;

/** What a process does when no other task may begin, and when they may again. */
export interface ExclusiveRunsOptions {
  /** How long a suspect waits for what runs, in milliseconds. Default 30,000. */
  readonly patienceMs?: number;
  /** How long a suspect keeps others from beginning, in milliseconds. Default 10,000. */
  readonly aloneMs?: number;
  readonly onClose?: () => void;
  readonly onOpen?: () => void;
}

/** A suspect's turn to run. */
export interface Turn {
  /** Whether nothing else runs in the process. */
  readonly alone: boolean;
  /** The suspect is done: the next one has its turn, or others may begin again. */
  over(): void;
}

/**
 * Lets a task that may kill its process run alone, like the writer of a readers-writer lock: from the moment that a suspect
 * asks, no other task begins. Its turn comes when what runs has ended, or when its patience is over, because a task may
 * run for hours. Its turn is over when it has ended or has run for a while. Several suspects have their turns one after
 * the other.
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

  constructor(options: ExclusiveRunsOptions = {}) {
    this.#options = options;
  }

  /** Whether no task may begin, because a suspect runs or waits. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Resolves to whether tasks may begin again, within so many milliseconds and before `signal` aborts. */
  async opened(withinMs: number, signal: AbortSignal): Promise<boolean> {
    const late = Promise.withResolvers<boolean>();
    const giveUp = (): void => late.resolve(false);
    const timer = setTimeout(giveUp, withinMs);
    signal.addEventListener('abort', giveUp, { once: true });
    if (signal.aborted) giveUp();
    try {
      while (this.#closed) if (!(await Promise.race([this.#opened.promise, late.promise]))) return false;
      return true;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
    }
  }

  /** A task begins, suspect or not. */
  begin(): void {
    this.#running += 1;
  }

  /** A task has ended. */
  end(): void {
    this.#running -= 1;
    if (this.#closed) this.#next();
  }

  /** Waits for the turn of a suspect that has begun. @throws the reason of `givenUp` if that aborts before */
  async turn(givenUp: AbortSignal): Promise<Turn> {
    givenUp.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<Turn>();
    const leave = (): void => {
      const place = this.#waiting.indexOf(resolve);
      // Its turn has come
      if (place < 0) return;
      this.#waiting.splice(place, 1);
      this.#running += 1;
      reject(givenUp.reason as Error);
      if (!this.#turn && this.#waiting.length === 0) this.#open();
    };
    givenUp.addEventListener('abort', leave, { once: true });
    this.#waiting.push(resolve);
    // While it waits it does nothing that others would have to wait for
    this.#running -= 1;
    this.#close();
    this.#next();
    return promise.finally(() => givenUp.removeEventListener('abort', leave));
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
    if (this.#waiting.length === 0) this.#open();
    else this.#next();
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#opened = Promise.withResolvers();
    const { patienceMs = PATIENCE_MS, onClose } = this.#options;
    this.#patience = setTimeout(() => {
      this.#impatient = true;
      this.#next();
    }, patienceMs).unref();
    onClose?.();
  }

  #open(): void {
    if (!this.#closed) return;
    this.#closed = false;
    this.#impatient = false;
    clearTimeout(this.#patience);
    this.#opened.resolve(true);
    this.#options.onOpen?.();
  }
}
