import { isDeepStrictEqual } from 'node:util';
import { isFinal, type TaskEnd } from 'baton-tasks';
import type { TaskRow } from '../../src/tracked/task-row.ts';
import type { ModelTable } from './model-table.ts';
import type { Run } from './run.ts';

/** The store takes clocks to differ by so much. */
const CLOCKS_DIFFER_MS = 1000;

/** A chain of tracked tasks, in their order. */
export type Steps = readonly string[];

/** Keeps the books of a history's tracked tasks, and says which promise was broken. */
export class TaskBooks {
  readonly #table: ModelTable;
  readonly #broken: (promise: string) => void;
  readonly #ends = new Map<string, string>();
  readonly #states = new Map<string, string>();
  /** Tasks that were cancelled while they waited. */
  readonly #neverToRun = new Set<string>();
  readonly #kept = new Set<string>();
  readonly #running = new Set<Run>();
  /** How many attempts at a task have begun, without those that crashed beside other tasks. */
  readonly #used = new Map<string, number>();
  /** Attempts that were written down to begin alone, by task and token, and the process of each. */
  readonly #aboutToBegin = new Map<string, { readonly taskId: string; readonly process: string }>();
  /** Attempts whose handler began, by task and token. */
  readonly #begun = new Set<string>();
  readonly #crashed = new Set<string>();
  /** When the next attempt at a task that waits may begin, in milliseconds. */
  readonly #dueMs = new Map<string, number>();
  readonly #chains: Steps[] = [];
  readonly #tasks = new Set<string>();
  /** Tasks whose dead letter was put back, and which have not begun anew yet. */
  readonly #putBack = new Set<string>();
  /** What listeners were told, by task and token. */
  readonly #told = new Map<string, TaskEnd>();

  constructor(table: ModelTable, broken: (promise: string) => void) {
    this.#table = table;
    this.#broken = broken;
  }

  /** A task, or the tasks of a chain, were sent. */
  sent(steps: Steps): void {
    for (const taskId of steps) this.#tasks.add(taskId);
    this.#chains.push(steps);
  }

  /** Whether a task is tracked. */
  has(taskId: string): boolean {
    return this.#tasks.has(taskId);
  }

  /** Whether every task has ended. */
  get allEnded(): boolean {
    return [...this.#tasks].every((taskId) => isFinal(this.#row(taskId)?.state ?? 'queued'));
  }

  /** The tasks that have not ended, with their states. */
  get unended(): string[] {
    const states = [...this.#tasks].map((taskId) => [taskId, this.#row(taskId)?.state ?? 'unknown'] as const);
    return states
      .filter(([, state]) => !isFinal(state as never))
      .map(([taskId, state]) => `${taskId} ${state}`);
  }

  /** A handler begins. */
  begins(run: Run): void {
    this.#use(run.taskId, 1);
    // A worker may be faster than its sender, who learns only later that the task is sent
    if (!this.has(run.taskId)) return;
    const row = this.#row(run.taskId);
    this.#begun.add(`${run.taskId} ${row?.token}`);
    // One that is cancelled at the very moment of its claim begins, and is aborted within a heartbeat
    const never = row?.state === 'cancelled' ? this.#neverToRun.has(run.taskId) : row && isFinal(row.state);
    if (never) this.#broken(`${run.process} runs ${run.taskId}, which is ${row?.state}`);
    const twin = [...this.#running].find(({ taskId, signal }) => taskId === run.taskId && !signal.aborted);
    if (twin) this.#broken(`${run.taskId} runs twice at one time: at ${twin.process} and ${run.process}`);
    const earlyMs = (this.#dueMs.get(run.taskId) ?? 0) - CLOCKS_DIFFER_MS - performance.now();
    if (earlyMs > 0) this.#broken(`${run.process} runs ${run.taskId} ${earlyMs} ms before its rest is over`);
    this.#running.add(run);
  }

  /** A handler ends, or its process crashes. */
  ends(run: Run): void {
    this.#running.delete(run);
  }

  /** A process is no more. */
  crashes(process: string): void {
    this.#crashed.add(process);
    for (const run of this.#running) {
      if (run.process !== process) continue;
      this.#running.delete(run);
      const { state, attempts, begun } = this.#row(run.taskId) ?? {};
      // One that ignores its signal may have been decided before, and its task may run elsewhere
      if (state === 'running' && attempts === run.attempt && begun !== 'alone') this.#use(run.taskId, -1);
    }
  }

  /** An effect is run. */
  effectRuns(run: Run, key: string): void {
    const { taskId, process, signal } = run;
    const latest = [...this.#running].findLast((other) => other.taskId === taskId);
    if (signal.aborted || (latest && latest !== run))
      this.#broken(`the effect ${key} of ${taskId} begins at ${process}, whose attempt is over`);
    if (this.#kept.has(`${taskId} ${key}`))
      this.#broken(`the effect ${key} of ${taskId} runs again, which was kept`);
  }

  /** A handler has been told that its effect is kept. */
  effectKept(taskId: string, key: string): void {
    this.#kept.add(`${taskId} ${key}`);
  }

  /** Somebody puts a dead letter of a task back: it may begin anew, once. */
  putBack(taskId: string): void {
    this.#putBack.add(taskId);
  }

  /** A listener is told how a task ended. */
  told(end: TaskEnd): void {
    const key = `${end.taskId} ${end.token}`;
    const before = this.#told.get(key) ?? end;
    this.#told.set(key, end);
    if (before.state !== end.state || !isDeepStrictEqual(before.result, end.result))
      this.#broken(`${key} was told to be ${end.state}, and before to be ${before.state}`);
  }

  /** Looks at what listeners were told, once all has ended: of each task its end, and of none a later one. */
  lookAtEnds(): void {
    for (const taskId of this.#putBack) this.#broken(`${taskId} was put back, and never began anew`);
    for (const taskId of this.#tasks) {
      const { state, token = 0, result = '' } = this.#row(taskId) ?? {};
      const end = this.#told.get(`${taskId} ${token}`);
      if (end?.state !== state || (state === 'succeeded' && JSON.stringify(end?.result) !== result))
        this.#broken(`${taskId} is ${state} ${result}, and its listener was told ${JSON.stringify(end)}`);
      const later = [...this.#told.values()].find((each) => each.taskId === taskId && each.token > token);
      if (later) this.#broken(`${taskId} was told to have ended as ${later.token}, and is at ${token}`);
    }
  }

  /** Looks at every row: what is final stays as it is. */
  look(): void {
    for (const taskId of this.#tasks) {
      const row = this.#row(taskId);
      if (row?.begun === 'alone')
        this.#aboutToBegin.set(`${taskId} ${row.token}`, { taskId, process: row.owner ?? '' });
      if (row?.state === 'cancelled' && this.#states.get(taskId) !== 'running') this.#neverToRun.add(taskId);
      if (row?.state === 'queued' || row?.state === 'retrying')
        this.#dueMs.set(taskId, Date.parse(row.nextAttemptAt ?? '') || 0);
      if (row && row.state !== 'cancelled') this.#states.set(taskId, row.state);
      else if (row) this.#states.set(taskId, 'running');
      if (!row || !isFinal(row.state)) {
        if (/^(dead|failed) /.test(this.#ends.get(taskId) ?? '') && this.#putBack.delete(taskId))
          this.#ends.delete(taskId);
        if (this.#ends.has(taskId))
          this.#broken(`${taskId} is ${row?.state}, and was ${this.#ends.get(taskId)}`);
        continue;
      }
      const end = `${row.state} ${row.result ?? ''}`;
      const before = this.#ends.get(taskId) ?? end;
      this.#ends.set(taskId, end);
      if (before !== end) this.#broken(`${taskId} is ${end}, and was ${before}`);
    }
  }

  /** Looks at every task, once all has ended: a crash beside other tasks has used no attempt. */
  lookAtAttempts(): void {
    for (const taskId of this.#tasks) {
      const { state, attempts = 0 } = this.#row(taskId) ?? {};
      // One that is cancelled at the very moment of its claim is never run
      if (state === 'cancelled') continue;
      const used = (this.#used.get(taskId) ?? 0) + this.#diedBeforeHandler(taskId);
      if (attempts > used)
        this.#broken(`${taskId} has used ${attempts} attempts, and ${used} have begun that count`);
    }
  }

  /** Attempts at a task that were about to begin alone when their process crashed: nobody can tell them from begun ones. */
  #diedBeforeHandler(taskId: string): number {
    return [...this.#aboutToBegin].filter(
      ([attempt, each]) =>
        each.taskId === taskId && this.#crashed.has(each.process) && !this.#begun.has(attempt),
    ).length;
  }

  #use(taskId: string, attempts: number): void {
    this.#used.set(taskId, (this.#used.get(taskId) ?? 0) + attempts);
  }

  /** Looks at every chain, once all has ended: each step followed the one before, and got what that gave. */
  lookAtChains(): void {
    for (const steps of this.#chains) {
      for (const [index, taskId] of steps.slice(1).entries()) {
        const before = this.#row(steps[index] ?? '');
        const row = this.#row(taskId);
        if (before?.state !== 'succeeded' && row?.state !== 'cancelled')
          this.#broken(`${taskId} is ${row?.state}, after a step that is ${before?.state}`);
        if (row?.state !== 'succeeded') continue;
        const [got, given] = [row, before].map((each) => JSON.parse(each?.result ?? '{}') as { of?: number });
        if (got?.of !== (given?.of ?? 0) + 1)
          this.#broken(`${taskId} gave ${got?.of} for the ${given?.of} of the step before`);
      }
    }
  }

  #row(taskId: string): TaskRow | undefined {
    return this.#table.row(taskId) as TaskRow | undefined;
  }
}
