import type { Run } from './run.ts';

/** A task's workers may die of it so often in a row. */
const MOST_KILLS = 3;
/** While the store is away no row counts anything: SQS's own count ends a task after its three attempts and three more. */
const STORE_AWAY_KILLS = 3;
/** Of three deaths that make a task a dead letter, one may be of a worker that had not begun it yet. */
const FEWEST_DEATHS = 2;

/** Until the end of an attempt is written down it looks as if it still ran. */
const WRITING_MS = 2500;

/** What may keep an untracked message's crashes from being counted in the task store. */
export interface CrashTroubles {
  /** How many requests have failed so far. */
  readonly faults: () => number;
  /** Whether the task store is away for a while. */
  readonly storeAway: boolean;
  /** Whether a worker may lose a lease though it lives, because it stands still for a while. */
  readonly pauses: boolean;
}

/** What is known of the deaths of the processes that ran a task. */
interface Deaths {
  /** Since it last came to an end by itself. */
  readonly inARow: number;
  /** Whether it was begun alone before the last one. */
  readonly alone: boolean;
}

/**
 * Keeps the books of processes that die and of what they ran, and says which promise was broken: a task kills its
 * processes three times at most, and no other task loses an attempt or becomes a dead letter by that.
 */
export class CrashBooks {
  readonly #troubles: CrashTroubles;
  readonly #broken: (promise: string) => void;
  /** The handlers that run, and whether each was begun alone in its process. */
  readonly #running = new Map<Run, boolean>();
  /** How often in a row each task has killed its process. */
  readonly #kills = new Map<string, number>();
  readonly #deaths = new Map<string, Deaths>();
  /** When each task last came to an end by itself. */
  readonly #endedAtMs = new Map<string, number>();
  /** How many attempts each task may have used. */
  readonly #used = new Map<string, number>();

  constructor(troubles: CrashTroubles, broken: (promise: string) => void) {
    this.#troubles = troubles;
    this.#broken = broken;
  }

  /** A handler begins. @param tracked - whether the attempts of its task are counted by its row */
  begins(run: Run, tracked: boolean): void {
    const { taskId, process, attempt, signal } = run;
    const used = this.#used.get(taskId) ?? 0;
    if (!tracked && !this.#countDecides && attempt > used + 1)
      this.#broken(`${process} begins ${taskId} as attempt ${attempt}, and has used up ${used}`);
    this.#running.set(run, ![...this.#running.keys()].some((other) => other.process === process));
    signal.addEventListener('abort', () => {
      // Its outcome is decided then, also of a handler that ignores its signal
      if (this.#running.has(run) && isTimeout(signal)) this.#endsByItself(taskId);
    });
  }

  /** A handler ends. */
  ends(run: Run): void {
    if (this.#running.delete(run) && !run.signal.aborted) this.#endsByItself(run.taskId);
  }

  /** A process is no more. */
  crashes(process: string): void {
    for (const [run, alone] of this.#running) {
      if (run.process !== process) continue;
      this.#running.delete(run);
      const { inARow = 0 } = this.#deaths.get(run.taskId) ?? {};
      this.#deaths.set(run.taskId, { inARow: inARow + 1, alone });
      if (alone) this.#use(run.taskId);
    }
  }

  /**
   * A handler kills its process. An untracked task may do so once more for each request that failed, since the row that
   * counts its receives may be missing one.
   */
  killedBy(taskId: string, tracked: boolean): void {
    const { faults, storeAway } = this.#troubles;
    const uncounted = tracked ? 0 : faults() + (storeAway ? STORE_AWAY_KILLS : 0);
    const kills = (this.#kills.get(taskId) ?? 0) + 1;
    this.#kills.set(taskId, kills);
    if (kills > MOST_KILLS + uncounted) this.#broken(`${taskId} kills its process for time ${kills}`);
  }

  /** A task begins anew, because its dead letter was put back. */
  beginsAnew(taskId: string): void {
    this.#kills.delete(taskId);
    this.#deaths.delete(taskId);
  }

  /** A task is a dead letter because its workers died. */
  setAside(taskId: string): void {
    const { inARow = 0, alone = false } = this.#deaths.get(taskId) ?? {};
    if (this.#countDecides || this.#troubles.pauses || (inARow >= FEWEST_DEATHS && alone)) return;
    // A worker died after it had sent a copy and before it deleted the message: to one of them, the other's run looks lost
    if (this.#runsElsewhere(taskId)) return;
    this.#broken(`${taskId} is dead, though only ${inARow} of its workers died, ${alone ? '' : 'not '}alone`);
  }

  /** Whether SQS's own count may decide, because a request of the task store failed. */
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
