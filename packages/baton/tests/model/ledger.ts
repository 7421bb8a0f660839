import { ChangeMessageVisibilityBatchCommand, DeleteMessageBatchCommand } from '@aws-sdk/client-sqs';
import { CrashBooks } from './crash-books.ts';
import type { ModelSqs } from './model-sqs.ts';
import type { ModelTable } from './model-table.ts';
import type { Run } from './run.ts';
import { TaskBooks } from './task-books.ts';

/** A batch is sent a few milliseconds after its entries were settled. */
const SETTLE_TOLERANCE_MS = 50;

interface Received {
  readonly process: string;
  readonly handle: string;
  readonly faultsBefore: number;
  settled: boolean;
}

/** Configures a ledger for the system that it checks. */
export interface LedgerOptions {
  readonly sqs: ModelSqs;
  readonly table: ModelTable;
  readonly leaseSeconds: number;
  /** Whether handlers learn that their lease has ended. Handlers in a function cannot. */
  readonly leasesAbort: boolean;
  /** Whether only the holder of a lease can change it. */
  readonly fenced: boolean;
  readonly longestStopMs: number;
  /** The longest stop on a healthy network. */
  readonly longestCalmStopMs: number;
  /** The number of faults so far. */
  readonly faults: () => number;
  /** Whether the task store is away for a while. */
  readonly storeAway: boolean;
  /** Whether a worker is paused for a while. */
  readonly pauses: boolean;
}

/** Records the events of one history, and finds broken promises. */
export class Ledger {
  readonly violations: string[] = [];
  /** The records of tracked tasks. */
  readonly books: TaskBooks;
  /** The records of crashes. */
  readonly crashBooks: CrashBooks;
  readonly #options: LedgerOptions;
  readonly #running = new Set<Run>();
  readonly #ended = new Set<string>();
  readonly #done = new Set<string>();
  readonly #duplicated = new Set<string>();
  readonly #received = new Map<string, Received>();
  readonly #crashed = new Set<string>();
  readonly #handles = new Map<string, string>();
  readonly #taskIds = new Map<string, string>();
  /** The message that last delivered each task. */
  readonly #messages = new Map<string, string>();
  /** Attempts that returned in time. */
  readonly #returned = new Set<string>();
  /** Attempts whose lease was lost while they ran. */
  readonly #lost = new Set<string>();
  /** Renewals in progress. */
  readonly #renewing = new Map<object, readonly string[]>();

  constructor(options: LedgerOptions) {
    this.#options = options;
    const broken = (promise: string): void => this.#violated(promise);
    this.books = new TaskBooks(options.table, broken);
    this.crashBooks = new CrashBooks(options, broken);
  }

  /** Records that a handler starts. */
  begins(run: Run): void {
    const { sqs, leasesAbort, fenced } = this.#options;
    this.books.begins(run);
    this.crashBooks.begins(run, this.books.has(run.taskId));
    const twin = [...this.#running].find(
      (other) =>
        other.taskId === run.taskId &&
        !other.signal.aborted &&
        sqs.leaseEndMs(other.handle) > performance.now(),
    );
    if (twin && leasesAbort && fenced && !this.#duplicated.has(run.taskId))
      this.#violated(`${run.taskId} runs twice within its lease: at ${twin.process} and ${run.process}`);
    this.#running.add(run);
    run.signal.addEventListener('abort', () => {
      const { name } = run.signal.reason as Error;
      if (name === 'LeaseLostError' && this.#running.has(run) && this.#isClear(run))
        this.#lost.add(run.handle);
    });
  }

  /** Records that a handler ends. Returns whether that counts: after a crash of its process it does not. */
  ends(run: Run, returned: boolean): boolean {
    if (this.hasCrashed(run.process)) return false;
    this.books.ends(run);
    this.crashBooks.ends(run);
    this.#running.delete(run);
    this.#ended.add(run.handle);
    if (returned) this.#done.add(run.taskId);
    if (returned && !run.signal.aborted) this.#returned.add(run.handle);
    return true;
  }

  /** The number of handlers that a process runs. */
  runningAt(process: string): number {
    return [...this.#running].filter((run) => run.process === process).length;
  }

  /** Records that a process crashes. */
  crashes(process: string): void {
    this.#crashed.add(process);
    this.books.crashes(process);
    this.crashBooks.crashes(process);
    for (const run of this.#running) if (run.process === process) this.#running.delete(run);
  }

  /** Records that a handler kills its process. */
  killedBy(taskId: string): void {
    this.crashBooks.killedBy(taskId, this.books.has(taskId));
  }

  /** Records that a message becomes a dead letter. */
  setAside(body: string, reason: string | undefined): void {
    if (reason === 'crashed') this.crashBooks.setAside(this.#taskIdIn(body));
  }

  /** Whether a process has crashed. */
  hasCrashed(process: string): boolean {
    return this.#crashed.has(process);
  }

  /** Records that a process receives a message. */
  delivered(process: string, handle: string): void {
    const taskId = this.#taskIdIn(this.#options.sqs.bodyOf(handle));
    const [messageId = ''] = handle.split('#');
    // A second message of the same task: it was sent twice, as the notice of an end may be, or it is a copy
    const second = (this.#messages.get(taskId) ?? messageId) !== messageId;
    this.#messages.set(taskId, messageId);
    const hasTwin = this.#options.sqs.hasTwin(handle);
    if (hasTwin) this.crashBooks.twinned(taskId);
    if (second || hasTwin) this.#duplicated.add(taskId);
    this.#handles.set(`${process} ${taskId}`, handle);
    this.#received.set(handle, { process, handle, faultsBefore: this.#options.faults(), settled: false });
  }

  /** Records that the broker delivers a message that another worker holds. */
  duplicated(body: string): void {
    this.#duplicated.add(this.#taskIdIn(body));
  }

  /** Records a request to the broker. Returns a function to call when the request has ended. */
  requested(process: string, command: { readonly input: object }): () => void {
    const hides = command instanceof ChangeMessageVisibilityBatchCommand;
    if (!hides && !(command instanceof DeleteMessageBatchCommand)) return () => undefined;
    const renewed: string[] = [];
    for (const { ReceiptHandle = '', ...entry } of command.input.Entries ?? []) {
      const seconds = 'VisibilityTimeout' in entry ? entry.VisibilityTimeout : undefined;
      if (seconds === this.#options.leaseSeconds) renewed.push(ReceiptHandle);
      else this.#settles(process, ReceiptHandle, hides);
    }
    this.#renewing.set(command, renewed);
    return () => this.#renewing.delete(command);
  }

  #settles(process: string, handle: string, hides: boolean): void {
    const { sqs, leasesAbort } = this.#options;
    const received = this.#received.get(handle);
    if (received) received.settled = true;
    if (!leasesAbort) return;
    const lateMs = performance.now() - sqs.leaseEndMs(handle);
    // If a copy exists, a late delete is better than two messages
    if (lateMs > SETTLE_TOLERANCE_MS && !sqs.isDeadLetter(handle) && !sqs.isCopied(handle))
      this.#violated(`${process} settles ${handle} ${lateMs} ms after its lease`);
    if (this.#lost.has(handle)) this.#violated(`${process} settles ${handle}, but has lost its lease`);
    // The result of a tracked task may not have been stored. Then the worker redelivers its message
    const tracked = this.books.has(this.#taskIdIn(sqs.bodyOf(handle)));
    if (hides && this.#returned.has(handle) && !tracked)
      this.#violated(`${process} redelivers ${handle}, which is done`);
    if (hides && [...this.#renewing.values()].some((handles) => handles.includes(handle)))
      this.#violated(`${process} settles ${handle} during a renewal of its lease`);
  }

  /** Checks the whole state. Called after each event. */
  look(): void {
    const { sqs, leasesAbort } = this.#options;
    this.books.look();
    // A copy may have replaced the message
    const inQueue = new Set(sqs.messages.filter(({ deleted }) => !deleted).map(({ body }) => body));
    for (const { body, deleted } of sqs.messages) {
      const taskId = this.#taskIdIn(body);
      const ended =
        this.books.has(taskId) ||
        this.#done.has(taskId) ||
        inQueue.has(body) ||
        sqs.deadLetters.includes(body);
      if (deleted && !ended) this.#violated(`${taskId} was deleted, but is neither done nor a dead letter`);
    }
    if (!leasesAbort) return;
    for (const run of this.#running) {
      if (!run.signal.aborted && this.#isClear(run) && performance.now() > sqs.leaseEndMs(run.handle))
        this.#violated(`${run.process} runs ${run.handle} after its lease, but its signal is not aborted`);
    }
  }

  /**
   * Records that a worker has stopped.
   *
   * @param calm - whether the network has been healthy for long enough
   * @param faultsAtStop - the number of faults when the stop began
   * @param endedBefore - the attempts that had ended when the stop began
   */
  stopped(
    process: string,
    tookMs: number,
    calm: boolean,
    faultsAtStop: number,
    endedBefore: ReadonlySet<string>,
  ): void {
    const { sqs, leasesAbort, longestStopMs, longestCalmStopMs } = this.#options;
    if (tookMs > (calm ? longestCalmStopMs : longestStopMs))
      this.#violated(`${process} took ${tookMs} ms to stop`);
    for (const run of this.#running) {
      if (run.process === process && !run.signal.aborted)
        this.#violated(`${process} has stopped, but still runs ${run.handle}`);
    }
    if (!leasesAbort || !calm) return;
    for (const { process: holder, handle, faultsBefore, settled } of this.#received.values()) {
      const whole = faultsBefore === faultsAtStop;
      if (holder === process && whole && !settled && !endedBefore.has(handle) && sqs.hides(handle))
        this.#violated(`${process} has stopped, but ${handle} is hidden until its lease ends`);
    }
  }

  /** The attempts that have ended so far. */
  get ended(): ReadonlySet<string> {
    return new Set(this.#ended);
  }

  /** Records a broken promise. */
  broken(promise: string): void {
    this.#violated(promise);
  }

  #violated(promise: string): void {
    this.violations.push(`at ${performance.now()} ms: ${promise}`);
  }

  /** Whether it is known which handle a run belongs to. If a tracked task's message came twice, it is not. */
  #isClear({ taskId }: Run): boolean {
    return !this.books.has(taskId) || (this.#options.fenced && !this.#duplicated.has(taskId));
  }

  /** The task id in a body; the body itself if it has no task id. */
  #taskIdIn(body: string): string {
    const known = this.#taskIds.get(body);
    if (known !== undefined) return known;
    const taskId = body.startsWith('{') ? (JSON.parse(body) as { id: string }).id : body;
    this.#taskIds.set(body, taskId);
    return taskId;
  }
}
