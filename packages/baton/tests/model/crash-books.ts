import type { Run } from './run.ts';

/** The most crashes in a row that a task may cause. */
const MOST_KILLS = 3;
/** While the store is away no row counts crashes. SQS's own count ends a task three crashes after its last attempt. */
const STORE_AWAY_KILLS = 3;
/** Of the three crashes that make a task a dead letter, one may come before the worker has started the handler. */
const FEWEST_DEATHS = 2;

/** Until the end of an attempt is stored, the attempt seems to run. */
const WRITING_MS = 2500;

/** Troubles that may keep the task store from counting an untracked message's crashes. */
export interface CrashTroubles {
  /** The number of failed requests so far. */
  readonly faults: () => number;
  /** Whether the task store is away for a while. */
  readonly storeAway: boolean;
  /** Whether a living worker may lose a lease, because it is paused for a while. */
  readonly pauses: boolean;
}

/** The crashes of processes that ran a task. */
interface Deaths {
  /** Crashes since an attempt last ended by itself. */
  readonly inARow: number;
  /** Whether the task ran alone at the last crash. */
  readonly alone: boolean;
}

/**
 * Records crashes and the tasks that ran then, and checks a promise: a task kills its processes at most three times,
 * and no other task loses an attempt or becomes a dead letter because of that.
 */
export class CrashBooks {
  readonly #troubles: CrashTroubles;
  readonly #broken: (promise: string) => void;
  /** The running handlers, and whether each started alone in its process. */
  readonly #running = new Map<Run, boolean>();
  /** How many times in a row each task has killed its process. */
  readonly #kills = new Map<string, number>();
  readonly #deaths = new Map<string, Deaths>();
  /** Tasks that have two messages at once: a worker crashed between the send of a copy and the delete of the message. */
  readonly #twinned = new Set<string>();
  /** When an attempt of each task last ended by itself. */
  readonly #endedAtMs = new Map<string, number>();
  /** How many attempts each task may have used. */
  readonly #used = new Map<string, number>();

  constructor(troubles: CrashTroubles, broken: (promise: string) => void) {
    this.#troubles = troubles;
    this.#broken = broken;
  }

  /** Records that a handler starts. @param tracked - whether the task's row counts its attempts */
  begins(run: Run, tracked: boolean): void {
    const { taskId, process, attempt, signal } = run;
    const used = this.#used.get(taskId) ?? 0;
    if (!tracked && !this.#countDecides && attempt > used + 1)
      this.#broken(`${process} starts ${taskId} as attempt ${attempt}, but it has used only ${used}`);
    this.#running.set(run, ![...this.#running.keys()].some((other) => other.process === process));
    signal.addEventListener('abort', () => {
      // The outcome is decided then, even if the handler ignores its signal
      if (this.#running.has(run) && isTimeout(signal)) this.#endsByItself(taskId);
    });
  }

  /** Records that a handler ends. */
  ends(run: Run): void {
    if (this.#running.delete(run) && !run.signal.aborted) this.#endsByItself(run.taskId);
  }

  /** Records that a process crashes. */
  crashes(process: string): void {
    for (const [run, alone] of this.#running) {
      if (run.process !== process) continue;
      this.#running.delete(run);
      const { inARow = 0 } = this.#deaths.get(run.taskId) ?? {};
      this.#deaths.set(run.taskId, { inARow: inARow + 1, alone });
      if (alone) this.#use(run.taskId);
    }
  }

  /** Records that an untracked task has two messages in the queue at once. */
  twinned(taskId: string): void {
    this.#twinned.add(taskId);
  }

  /**
   * Records that a handler kills its process. An untracked task may do so once more for each failed request, because
   * the row that counts its receives may have missed one. If two of its messages are received in turn, each may miss the
   * other's crashes.
   */
  killedBy(taskId: string, tracked: boolean): void {
    const { faults, storeAway } = this.#troubles;
    const ofTwin = this.#twinned.has(taskId) ? MOST_KILLS : 0;
    const uncounted = tracked ? 0 : faults() + ofTwin + (storeAway ? STORE_AWAY_KILLS : 0);
    const kills = (this.#kills.get(taskId) ?? 0) + 1;
    this.#kills.set(taskId, kills);
    if (kills > MOST_KILLS + uncounted) this.#broken(`${taskId} kills its process ${kills} times in a row`);
  }

  /** Records that a task starts again from attempt 1, because its dead letter was redriven. */
  restarts(taskId: string): void {
    this.#kills.delete(taskId);
    this.#deaths.delete(taskId);
  }

  /** Records that a task becomes a dead letter because its workers crashed. */
  setAside(taskId: string): void {
    const { inARow = 0, alone = false } = this.#deaths.get(taskId) ?? {};
    if (this.#countDecides || this.#troubles.pauses || (inARow >= FEWEST_DEATHS && alone)) return;
    // A worker crashed between the send of a copy and the delete of the message. To one, the other's run looks lost
    if (this.#runsElsewhere(taskId)) return;
    this.#broken(`${taskId} is dead, but only ${inARow} of its workers crashed, ${alone ? '' : 'not '}alone`);
  }

  /** Whether SQS's receive count may decide, because a request to the task store failed. */
  get #countDecides(): boolean {
    return this.#troubles.storeAway || this.#troubles.faults() > 0;
  }

  #runsElsewhere(taskId: string): boolean {
    const endedAtMs = this.#endedAtMs.get(taskId) ?? -Infinity;
    const runs = [...this.#running.keys()].some((run) => run.taskId === taskId);
    return runs || performance.now() - endedAtMs < WRITING_MS;
  }

  #endsByItself(taskId: string): void {
    this.#endedAtMs.set(taskId, performance.now());
    this.#kills.delete(taskId);
    this.#deaths.delete(taskId);
    this.#use(taskId);
  }

  #use(taskId: string): void {
    this.#used.set(taskId, (this.#used.get(taskId) ?? 0) + 1);
  }
}

function isTimeout({ reason }: AbortSignal): boolean {
  return Error.isError(reason) && reason.name === 'TaskTimeoutError';
}
