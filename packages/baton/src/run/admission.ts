// Decides whether a received task gets an attempt now. `admit` asks whether this process implements it, whether its time has
// come and whether another attempt runs; `outcomeWithoutAttempt` whether its copy rests or it has killed too many workers.
import { ageMs, type ReceivedMessage } from '../sqs/received-message.ts';
import {
  FIRST_SENT,
  MANY_RECEIVES,
  notesOf,
  receiveOf,
  UNCONCLUDED,
  waitsSeconds,
} from '../sqs/copy-notes.ts';
import { type Envelope, isLargerThan, shapeFaultOf } from '../sqs/envelope.ts';
import {
  AttemptsCrashedError,
  MalformedEnvelopeError,
  MessageTooLargeError,
  MismatchError,
  TaskNotDueError,
} from '../task/errors.ts';
import { queueWithoutLane } from '../task/lane.ts';
import { MAX_AHEAD_MS, MAX_TRACKED_DELAY_SECONDS } from '../send/send-checks.ts';
import type { Implementation, Implementations } from '../task/implementation.ts';
import { type DeadLetterOutcome, OLD_MESSAGE_SECONDS, type Outcome, outcomeOfBody } from '../task/outcome.ts';
import { maxPayloadBytesOf, type TaskContract } from '../task/task.ts';
import type { TraceContext } from '../telemetry/trace-context.ts';
import type { TaskFields } from './outcome-log.ts';
import type { Processing } from './processing.ts';
import { type BegunAttempt, type Claim, isClaim } from './task-tracker.ts';
import { outcomeOfUnknown, stillUnknown } from './unknown-task.ts';
import { UntrackedAttempt } from './untracked-attempt.ts';

/** How long an outcome may take to be written once the process must release the message. */
const LONGEST_WRITE_SECONDS = 2;
/** After so many crashes in a row a task is given up: the first attempt ran beside other tasks, the next two alone. */
const MAX_CRASHES = 3;

/** A received message, its envelope, and the names of its task in log lines. */
export interface ReceivedTask {
  readonly message: ReceivedMessage;
  readonly envelope: Envelope;
  readonly trace: TraceContext;
  readonly fields: TaskFields;
}

/** The right to attempt a task, with its earlier attempts. */
export interface Admission {
  readonly implementation: Implementation;
  /** The attempt of a tracked task, or of a message that was received before. Undefined at a first receive. */
  readonly begun: BegunAttempt | undefined;
  /** The claim of a tracked task. */
  readonly claim: Claim | undefined;
}

/**
 * Admits a task to an attempt, or returns the outcome of a message whose task must not run now.
 *
 * @param signal - aborts when this process must release the message
 * @throws TypeError if the task is tracked and `processing` has no tracker
 */
export async function admit(
  { message, envelope, fields }: ReceivedTask,
  signal: AbortSignal,
  processing: Processing,
): Promise<Admission | Outcome> {
  const implementation = implementationOf(envelope, processing.implementations);
  // Only a tracked task waits for its time. An unknown task may be tracked
  const mayBeEarly =
    envelope.notBefore !== undefined && (implementation?.contract.tracked ?? !implementation);
  const early = mayBeEarly ? await outcomeOfEarly(envelope, message, processing) : undefined;
  if (early) return asCopyAfterManyReceives(early, message);
  if (!implementation) return outcomeOfUnimplemented(envelope, message, fields.queue, processing);
  // It may name the task of another sender, which nobody can tell without its payload. So it claims nothing
  if (envelope.unread) return outcomeOfBody(envelope.unread);
  const { contract } = implementation;
  const elsewhere = outcomeOfElsewhere(envelope, contract, fields.queue);
  if (elsewhere) return elsewhere;
  if (contract.tracked) {
    const { tracker, worker, abortGraceSeconds } = processing;
    // A process that implements a tracked task checks this at its start
    if (!tracker)
      throw new TypeError(`${contract.name} is a tracked task: expected a task store as "tracker"`);
    const graceSeconds = Math.min(abortGraceSeconds, LONGEST_WRITE_SECONDS);
    const { queue } = fields;
    const owner = worker.id;
    const claim = await tracker.claim({ message, queue, envelope, contract, owner, signal, graceSeconds });
    return isClaim(claim) ? { implementation, begun: claim, claim } : asCopyAfterManyReceives(claim, message);
  }
  const begun =
    receiveOf(message) > 1 ? await UntrackedAttempt.again(message, contract, processing) : undefined;
  return { implementation, begun, claim: undefined };
}

/** Whether a task was refused. */
export function isRefused(admission: Admission | Outcome): admission is Outcome {
  return 'kind' in admission;
}

/** The outcome of an admitted task that gets no attempt: its copy must still rest, or it has killed too many workers. */
export function outcomeWithoutAttempt(
  { message, envelope }: ReceivedTask,
  { begun, implementation }: Admission,
  processing: Processing,
): Outcome | undefined {
  return (
    outcomeOfSize(message, implementation.contract, processing) ??
    outcomeOfWaitingCopy(envelope, message, processing) ??
    (begun && outcomeOfCrashes(begun, implementation.contract))
  );
}

/**
 * Lets a tracked task's message continue in a copy after many receives, because SQS would dead-letter it without a reason.
 * The task store counts the attempts, so the copy needs no counts.
 */
export function asCopyAfterManyReceives(outcome: Outcome, message: ReceivedMessage): Outcome {
  const comesBack = outcome.kind === 'retry' || outcome.kind === 'release';
  if (!comesBack || message.receiveCount < MANY_RECEIVES) return outcome;
  return {
    ...outcome,
    asCopy: true,
    notes: { ...notesOf(message, [FIRST_SENT, UNCONCLUDED]), ...outcome.notes },
  };
}

function tooLate(notBefore: string): string {
  return `The notbefore of the envelope is too late: expected at most ${MAX_TRACKED_DELAY_SECONDS} s ahead, got ${notBefore}`;
}

/** Finds the implementation of a message's task. One of a lower version than the message's does not count. */
function implementationOf(
  { task, version = 1 }: Envelope,
  implementations: Implementations,
): Implementation | undefined {
  const implementation = implementations.find(task);
  return implementation && version <= (implementation.contract.version ?? 1) ? implementation : undefined;
}

/**
 * The outcome of a message in a queue that is not its contract's. Its sender may not send to that queue: otherwise the right
 * to send to one queue of a worker would be the right to all tasks that it runs.
 */
function outcomeOfElsewhere(
  { taskId }: Envelope,
  contract: TaskContract,
  queue: string,
): Outcome | undefined {
  if (queueWithoutLane(queue) === contract.queue) return undefined;
  const what = `${contract.name} belongs in the queue ${contract.queue}, got it from ${queue}`;
  return { kind: 'dead-letter', reason: 'mismatch', error: new MismatchError(taskId, what) };
}

/** Releases a message until its task's time has come, or for as long as SQS can hide a message. */
async function outcomeOfEarly(
  { task, notBefore }: Envelope,
  message: ReceivedMessage,
  { tracker, now = Date.now }: Processing,
): Promise<Outcome | undefined> {
  if (notBefore === undefined) return undefined;
  // The time of an unavailable store is unknown. The claim that follows fails too, and releases the message
  const nowMs = tracker ? await tracker.now().catch(() => Infinity) : now();
  const leftMs = Date.parse(notBefore) - nowMs;
  if (leftMs <= 0) return undefined;
  if (leftMs > MAX_AHEAD_MS) return outcomeOfBody(new MalformedEnvelopeError(tooLate(notBefore)));
  const asCopy = ageMs(message, now) > OLD_MESSAGE_SECONDS * 1000;
  const error = new TaskNotDueError(task, notBefore);
  return { kind: 'release', error, delaySeconds: Math.ceil(leftMs / 1000), asCopy };
}

/** The outcome of a message whose payload is larger than its own contract allows, though another one allows so much. */
function outcomeOfSize(
  { body }: ReceivedMessage,
  contract: TaskContract,
  { implementations }: Processing,
): DeadLetterOutcome | undefined {
  const mostBytes = maxPayloadBytesOf(contract);
  if (mostBytes >= implementations.maxPayloadBytes) return undefined;
  const what = isLargerThan(body, mostBytes)
    ? `expected a payload of at most ${mostBytes} bytes (maxPayloadBytes of ${contract.name}), got a body of ${Buffer.byteLength(body)}`
    : shapeFaultOf(body, mostBytes);
  return what === undefined ? undefined : outcomeOfBody(new MessageTooLargeError(what));
}

/** Releases a copy until its rest is over. SQS delays a new message by at most 15 minutes. */
function outcomeOfWaitingCopy(
  { task }: Envelope,
  message: ReceivedMessage,
  { now = Date.now }: Processing,
): Outcome | undefined {
  const delaySeconds = waitsSeconds(message, now);
  if (delaySeconds === 0) return undefined;
  const error = new TaskNotDueError(task, new Date(now() + delaySeconds * 1000).toISOString());
  return { kind: 'release', error, delaySeconds };
}

/** The outcome of a message whose task this process does not implement. If its task is tracked, that ends too. */
async function outcomeOfUnimplemented(
  envelope: Envelope,
  message: ReceivedMessage,
  queue: string,
  { tracker, unknownTaskPatienceSeconds }: Processing,
): Promise<Outcome> {
  const outcome = outcomeOfUnknown(envelope, message, unknownTaskPatienceSeconds);
  if (outcome.kind !== 'dead-letter' || !tracker) return outcome;
  const given = { message, envelope, queue, patienceSeconds: unknownTaskPatienceSeconds };
  return stillUnknown(await tracker.giveUp(given, outcome), message);
}

/** The outcome of a task whose workers died too often while it ran. Undefined if it gets another attempt. */
function outcomeOfCrashes(
  { attempt, crashes, givenUp }: BegunAttempt,
  { name, retry }: TaskContract,
): DeadLetterOutcome | undefined {
  if (!givenUp && crashes < MAX_CRASHES && attempt <= retry.maxAttempts) return undefined;
  const error = givenUp ?? new AttemptsCrashedError(name, crashes);
  return { kind: 'dead-letter', reason: 'crashed', error };
}
