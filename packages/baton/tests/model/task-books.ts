import { isDeepStrictEqual } from 'node:util';
import { isFinal, type TaskEnd } from 'baton-tasks';
import type { TaskRow } from '../../src/tracked/task-row.ts';
import type { ModelTable } from './model-table.ts';
import type { Run } from './run.ts';

/** The clock difference that the store allows for. */
const CLOCKS_DIFFER_MS = 1000;

/** The task ids of a chain, in order. */
export type Steps = readonly string[];

/** Records the events of a history's tracked tasks, and finds broken promises. */
export class TaskBooks {
  readonly #table: ModelTable;
  readonly #broken: (promise: string) => void;
  readonly #ends = new Map<string, string>();
  readonly #states = new Map<string, string>();
  /** Tasks that were cancelled while they waited. */
  readonly #neverToRun = new Set<string>();
  readonly #kept = new Set<string>();
  readonly #running = new Set<Run>();
  /** How many attempts of a task have started, without those that crashed beside other tasks. */
  readonly #used = new Map<string, number>();
  /** Attempts that are stored as about to start alone, by task and token, and the process of each. */
  readonly #aboutToBegin = new Map<string, { readonly taskId: string; readonly process: string }>();
  /** Attempts whose handler has started, by task and token. */
  readonly #begun = new Set<string>();
  readonly #crashed = new Set<string>();
  /** When the next attempt of a waiting task may start, in milliseconds. */
  readonly #dueMs = new Map<string, number>();
  readonly #chains: Steps[] = [];
  readonly #tasks = new Set<string>();
  /** Tasks whose dead letter was redriven and that have not restarted yet. */
  readonly #putBack = new Set<string>();
  /** The ends that listeners were told, by task and token. */
  readonly #told = new Map<string, TaskEnd>();

  constructor(table: ModelTable, broken: (promise: string) => void) {
    this.#table = table;
    this.#broken = broken;
  }

  /** Records that a task or a chain was sent. */
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

  /** Records that a handler starts. */
  begins(run: Run): void {
    this.#use(run.taskId, 1);
    // A worker may start the task before its sender learns that it is sent
    if (!this.has(run.taskId)) return;
    const row = this.#row(run.taskId);
    this.#begun.add(`${run.taskId} ${row?.token}`);
    // A task that is cancelled at the moment of its claim may start. A heartbeat then aborts it
    const never = row?.state === 'cancelled' ? this.#neverToRun.has(run.taskId) : row && isFinal(row.state);
    if (never) this.#broken(`${run.process} runs ${run.taskId}, which is already ${row?.state}`);
    const twin = [...this.#running].find(({ taskId, signal }) => taskId === run.taskId && !signal.aborted);
    if (twin)
      this.#broken(`${run.taskId} runs twice at the same time: at ${twin.process} and ${run.process}`);
    const earlyMs = (this.#dueMs.get(run.taskId) ?? 0) - CLOCKS_DIFFER_MS - performance.now();
    if (earlyMs > 0) this.#broken(`${run.process} runs ${run.taskId} ${earlyMs} ms before its delay is over`);
    this.#running.add(run);
  }

  /** Records that a handler ends, or that its process crashes. */
  ends(run: Run): void {
    this.#running.delete(run);
  }

  /** Records that a process crashes. */
  crashes(process: string): void {
    this.#crashed.add(process);
    for (const run of this.#running) {
      if (run.process !== process) continue;
      this.#running.delete(run);
      const { state, attempts, begun } = this.#row(run.taskId) ?? {};
      // The outcome of a handler that ignores its signal may be decided already, and its task may run elsewhere
      if (state === 'running' && attempts === run.attempt && begun !== 'alone') this.#use(run.taskId, -1);
    }
  }

  /** Records that an effect runs. */
  effectRuns(run: Run, key: string): void {
    const { taskId, process, signal } = run;
    const latest = [...this.#running].findLast((other) => other.taskId === taskId);
    if (signal.aborted || (latest && latest !== run))
      this.#broken(`the effect ${key} of ${taskId} starts at ${process}, whose attempt has ended`);
    if (this.#kept.has(`${taskId} ${key}`))
      this.#broken(`the effect ${key} of ${taskId} runs again, but it was kept`);
  }

  /** Records that a handler learned that its effect is kept. */
  effectKept(taskId: string, key: string): void {
    this.#kept.add(`${taskId} ${key}`);
  }

  /** Records that a dead letter of a task was redriven: the task may restart once. */
  putBack(taskId: string): void {
    this.#putBack.add(taskId);
  }

  /** Records that a listener is told how a task ended. */
  told(end: TaskEnd): void {
    const key = `${end.taskId} ${end.token}`;
    const before = this.#told.get(key) ?? end;
    this.#told.set(key, end);
    if (before.state !== end.state || !isDeepStrictEqual(before.result, end.result))
      this.#broken(`listeners were told that ${key} is ${end.state}, and before that it is ${before.state}`);
  }

  /** Checks, once all has ended, that listeners were told the end of each task, and no later end. */
  lookAtEnds(): void {
    for (const taskId of this.#putBack) this.#broken(`${taskId} was redriven, but never restarted`);
    for (const taskId of this.#tasks) {
      const { state, token = 0, result = '' } = this.#row(taskId) ?? {};
      const end = this.#told.get(`${taskId} ${token}`);
      if (end?.state !== state || (state === 'succeeded' && JSON.stringify(end?.result) !== result))
        this.#broken(`${taskId} is ${state} ${result}, but its listener was told ${JSON.stringify(end)}`);
      const later = [...this.#told.values()].find((each) => each.taskId === taskId && each.token > token);
      if (later)
        this.#broken(`a listener was told token ${later.token} of ${taskId}, but its row has ${token}`);
    }
  }

  /** Checks every row: a final state must not change. */
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
          this.#broken(`${taskId} is ${row?.state}, but was ${this.#ends.get(taskId)}`);
        continue;
      }
      const end = `${row.state} ${row.result ?? ''}`;
      const before = this.#ends.get(taskId) ?? end;
      this.#ends.set(taskId, end);
      if (before !== end) this.#broken(`${taskId} is ${end}, but was ${before}`);
    }
  }

  /** Checks, once all has ended, that no crash beside other tasks used an attempt. */
  lookAtAttempts(): void {
    for (const taskId of this.#tasks) {
      const { state, attempts = 0 } = this.#row(taskId) ?? {};
      // A task that is cancelled at the moment of its claim may never run
      if (state === 'cancelled') continue;
      const used = (this.#used.get(taskId) ?? 0) + this.#diedBeforeHandler(taskId);
      if (attempts > used)
        this.#broken(`${taskId} has used ${attempts} attempts, but only ${used} that count have started`);
    }
  }

  /** Attempts of a task that were about to start alone when their process crashed. The row counts them as started. */
  #diedBeforeHandler(taskId: string): number {
    return [...this.#aboutToBegin].filter(
      ([attempt, each]) =>
        each.taskId === taskId && this.#crashed.has(each.process) && !this.#begun.has(attempt),
    ).length;
  }

  #use(taskId: string, attempts: number): void {
    this.#used.set(taskId, (this.#used.get(taskId) ?? 0) + attempts);
  }

  /** Checks, once all has ended, that each step of a chain followed a successful step and got its result. */
  lookAtChains(): void {
    for (const steps of this.#chains) {
      for (const [index, taskId] of steps.slice(1).entries()) {
        const before = this.#row(steps[index] ?? '');
        const row = this.#row(taskId);
        if (before?.state !== 'succeeded' && row?.state !== 'cancelled')
          this.#broken(`${taskId} is ${row?.state}, but the step before it is ${before?.state}`);
        if (row?.state !== 'succeeded') continue;
        const [got, given] = [row, before].map((each) => JSON.parse(each?.result ?? '{}') as { of?: number });
        if (got?.of !== (given?.of ?? 0) + 1)
          this.#broken(`${taskId} returned ${got?.of} for ${given?.of} from the step before`);
      }
    }
  }

  #row(taskId: string): TaskRow | undefined {
    return this.#table.row(taskId) as TaskRow | undefined;
  }
}
