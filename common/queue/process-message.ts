import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../telemetry/logger.ts';
import { isInstance } from '../telemetry/thrown.ts';
import { startTrace, type TraceContext } from '../telemetry/trace-context.ts';
import { outcomeOfEarly } from './early-task.ts';
import { checkedResult, receivedPayload } from './contract-values.ts';
import { attemptOf, UNCONCLUDED } from './copy-notes.ts';
import { Ending, type Right } from './ending.ts';
import { decodeEnvelope, type Envelope } from './envelope.ts';
import { AttemptsCrashedError, InvalidValueError, type MalformedEnvelopeError } from './errors.ts';
import type { Implementation, Implementations, WorkerIdentity } from './implementation.ts';
import { type Outcome, outcomeOfBody, outcomeOfFailure } from './outcome.ts';
import { asError } from './plain-error.ts';
import { ageMs, type ReceivedMessage } from './received-message.ts';
import { type AttemptName, RunningAttempt } from './running-attempt.ts';
import type { SendTask } from './task-client.ts';
import { contextOf, type GatedContext } from './task-context.ts';
import type { HandlerRun, Threads } from './threads.ts';
import { type Claim, isClaim, type TaskTracker } from './tracking.ts';
import { outcomeOfUnknown } from './unknown-task.ts';

/** A thread ends within milliseconds, unless it is inside native code. */
const TERMINATION_MS = 2000;
const MANY_RECEIVES = 20;
/** How long an outcome may take to be written down when its worker has to give the message up. */
const LONGEST_WRITE_SECONDS = 2;
/** A task whose workers died so often in a row is given up: the first time in company, then twice alone. */
const MAX_CRASHES = 3;

/** What a process runs messages with. */
export interface Processing {
  readonly implementations: Implementations;
  readonly send: SendTask;
  readonly logger: Logger;
  /** For the lines of tasks that are done, which are most of all lines. Default: `logger`. */
  readonly doneLogger?: Logger | undefined;
  readonly worker: WorkerIdentity;
  /** How long a task that nobody here implements is put back, in seconds in all; then it is a dead letter. */
  readonly unknownTaskPatienceSeconds: number;
  /**
   * How long a handler may go on after its signal aborted, in seconds; then its outcome is decided without it, and its
   * thread is terminated where it has one.
   */
  readonly abortGraceSeconds: number;
  /**
   * SQS's time, in milliseconds since 1970, by which the age of a message is counted: a wrong clock of this process would
   * give up messages that are new. Default: the system's.
   */
  readonly now?: (() => number) | undefined;
  /** Keeps the state of tracked tasks; needed where one of them is implemented. */
  readonly tracker?: TaskTracker | undefined;
  /** Where handlers of the isolation `thread` run. Default: in this process, as all others. */
  readonly threads?: Threads | undefined;
}

/** A process's hold on a message while it runs. */
export interface Hold extends Right {
  /** Aborts when the lease is lost or the worker must stop; a handler that then fails is released. */
  readonly signal: AbortSignal;
  /** Called right before the handler of an attempt begins. */
  begins?(attempt: AttemptName): void;
  /** Called when a handler heeds no signal and its outcome is decided without it; `handler` settles when it ends. */
  outlivedBy(handler: Promise<unknown>): void;
  /**
   * Resolves once nothing else runs in this process, and keeps it so until the message's outcome is decided. Called for
   * a task whose last worker died, before its handler begins: if it kills this worker too, it harms no other task. The
   * message's lease is renewed meanwhile. Left out: the task runs in company.
   *
   * @param givenUp - aborts when the attempt ends before its turn has come: it waits no longer
   * @throws whatever makes this process unable to run it, and the reason of `givenUp`; the message is then released
   */
  runAlone?(givenUp: AbortSignal): Promise<void>;
}

/**
 * Makes one attempt at a message and says what is to become of it. It settles nothing and never throws: whatever
 * the message holds and the handler does is an outcome.
 *
 * @param queue - the queue's name, a lane's included: for the log and the task store
 */
export async function processMessage(
  message: ReceivedMessage,
  queue: string,
  hold: Hold,
  processing: Processing,
): Promise<Outcome> {
  const { implementations } = processing;
  const received = { queue, messageId: message.messageId, attempt: attemptOf(message) };
  let envelope: Envelope;
  try {
    envelope = decodeEnvelope(message.body);
  } catch (error) {
    return logged(processing, received, outcomeOfBody(error as MalformedEnvelopeError), 'message');
  }
  const { taskId, task, trace = startTrace() } = envelope;
  const fields = { ...received, task, taskId, traceId: trace.traceId };
  const implementation = knownHere(envelope, implementations);
  // Only tracked tasks wait; one that nobody here knows may be tracked
  const waits = envelope.notBefore !== undefined && (implementation?.contract.tracked ?? !implementation);
  const early = waits ? await outcomeOfEarly(envelope, message, processing) : undefined;
  if (early) return logged(processing, fields, goingOn(early, message), task);
  if (!implementation) return logged(processing, fields, await unknown(message, envelope, processing), task);
  const claim = await claimOf(message, queue, envelope, implementation, hold, processing);
  if (claim && !isClaim(claim)) return logged(processing, fields, goingOn(claim, message), task);

  if (claim) fields.attempt = claim.attempt;
  const startedAtMs = performance.now();
  const making = { implementation, envelope, message, trace, fields, claim };
  const decided = await attempt(making, hold, processing);
  const outcome = claim ? goingOn(await claim.conclude(decided), message) : decided;
  return logged(processing, fields, outcome, task, Math.round(performance.now() - startedAtMs));
}

/**
 * A tracked task's message that SQS has handed out often goes on in a copy: else SQS would set it aside without a
 * reason, at the queues' `maxReceiveCount` of 30. The store counts attempts, so nothing starts anew by that.
 */
function goingOn(outcome: Outcome, { receiveCount, attributes }: ReceivedMessage): Outcome {
  const waits = outcome.kind === 'retry' || outcome.kind === 'release';
  if (!waits || receiveCount < MANY_RECEIVES) return outcome;
  const givenUp = attributes[UNCONCLUDED]?.StringValue;
  const notes = givenUp === undefined ? outcome.notes : { [UNCONCLUDED]: givenUp, ...outcome.notes };
  return { ...outcome, anew: true, ...(notes && { notes }) };
}

/** The implementation of a message's task. One of a lower version cannot judge the payload. */
function knownHere({ task, version = 1 }: Envelope, known: Implementations): Implementation | undefined {
  const implementation = known.find(task);
  return implementation && version <= (implementation.contract.version ?? 1) ? implementation : undefined;
}

async function claimOf(
  message: ReceivedMessage,
  queue: string,
  envelope: Envelope,
  { contract }: Implementation,
  { signal }: Hold,
  { tracker, worker, abortGraceSeconds }: Processing,
): Promise<Claim | Outcome | undefined> {
  if (!contract.tracked) return undefined;
  // Whoever runs tracked tasks is refused at its start where it has no tracker
  if (!tracker) throw new TypeError(`${contract.name} is a tracked task, and there is no task store here`);
  const graceSeconds = Math.min(abortGraceSeconds, LONGEST_WRITE_SECONDS);
  return tracker.claim({ message, queue, envelope, contract, owner: worker.id, signal, graceSeconds });
}

/** What every line of a task says of it. */
interface TaskFields {
  readonly queue: string;
  readonly messageId: string;
  readonly attempt: number;
  readonly task: string;
  readonly taskId: string;
  readonly traceId: string;
}

interface Attempt {
  readonly implementation: Implementation;
  readonly envelope: Envelope;
  readonly message: ReceivedMessage;
  readonly trace: TraceContext;
  readonly fields: TaskFields;
  /** A tracked task's. */
  readonly claim: Claim | undefined;
}

async function attempt(making: Attempt, hold: Hold, processing: Processing): Promise<Outcome> {
  const { claim, envelope, fields } = making;
  const { contract } = making.implementation;
  if (claim && (claim.crashes >= MAX_CRASHES || claim.attempt > contract.retry.maxAttempts)) {
    const error = new AttemptsCrashedError(contract.name, claim.crashes);
    return { kind: 'dead-letter', reason: 'crashed', error };
  }
  let payload: unknown;
  try {
    payload = receivedPayload(contract, envelope.data);
  } catch (thrown) {
    // A refinement of the schema may throw anything, as a handler may
    return isInstance(thrown, InvalidValueError) ? outcomeOfBody(thrown) : failed(making, processing, thrown);
  }
  const early = claim?.suspect ? await isolated(claim, hold) : undefined;
  if (early) return early;
  const ending = new Ending(claim ? [hold, claim] : [hold], contract, processing.abortGraceSeconds);
  const { maxAttempts } = contract.retry;
  const { logger, send, worker } = processing;
  const depth = depthBelow(envelope);
  const gated = contextOf({
    fields,
    maxAttempts,
    trace: making.trace,
    depth,
    claim,
    ending,
    logger,
    send,
    worker,
  });
  hold.begins?.(fields);
  const running = new RunningAttempt(fields, (error) => ending.fail(error));
  const handler = running.run(() => startHandler(making, payload, gated, processing.threads));
  try {
    const result = await ending.unlessDeaf(handler.ended);
    if (ending.stray) throw ending.stray;
    return { kind: 'done', result: checkedResult(contract, result) };
  } catch (error) {
    if (ending.gaveUp(error) && !(await terminated(handler))) {
      gated.context.logger.error({ error }, `${contract.name} heeds no signal and still runs`);
      // A handler that lost the only step which could settle its promise never ends: it keeps no slot
      if (!ending.stray) hold.outlivedBy(handler.ended);
    }
    if (ending.outside) return { kind: 'release', error: ending.outside };
    return failed(making, processing, ending.timeout ?? ending.stray ?? error);
  } finally {
    running.end();
    ending.close();
  }
}

function failed(
  { implementation: { contract }, fields, message }: Attempt,
  { now }: Processing,
  thrown: unknown,
): Outcome {
  return outcomeOfFailure({ contract, attempt: fields.attempt, ageMs: ageMs(message, now) }, thrown);
}

/** Has a suspect begin alone. Resolves to its outcome when it cannot begin. */
async function isolated(claim: Claim, hold: Hold): Promise<Outcome | undefined> {
  const givenUp = AbortSignal.any([hold.signal, claim.signal]);
  try {
    await hold.runAlone?.(givenUp);
    givenUp.throwIfAborted();
    await claim.begins(hold.runAlone !== undefined);
    return undefined;
  } catch (error) {
    return { kind: 'release', error: asError(error) };
  }
}

/** The depth of what a task's handler sends. */
function depthBelow({ depth = 0 }: Envelope): number {
  return depth + 1;
}

function startHandler(
  { implementation: { contract, run }, envelope, trace, claim }: Attempt,
  payload: unknown,
  gated: GatedContext,
  threads: Threads | undefined,
): HandlerRun {
  if (threads && contract.isolation === 'thread')
    return threads.run({
      task: contract.name,
      data: envelope.data,
      depth: depthBelow(envelope),
      trace,
      claim,
      ...gated,
    });
  return { ended: (async () => run(payload, gated.context))() };
}

/** Ends a handler by force, where that can be done; resolves to whether it is gone. */
async function terminated({ ended, terminate }: HandlerRun): Promise<boolean> {
  if (!terminate) return false;
  terminate();
  const timer = new AbortController();
  const late = sleep(TERMINATION_MS, false, { signal: timer.signal }).catch(() => false);
  const gone = ended.then(
    () => true,
    () => true,
  );
  return Promise.race([gone, late]).finally(() => timer.abort());
}

/** A task that nobody here knows may be tracked all the same: then its row ends as its message does. */
async function unknown(
  message: ReceivedMessage,
  envelope: Envelope,
  { tracker, unknownTaskPatienceSeconds }: Processing,
): Promise<Outcome> {
  const outcome = outcomeOfUnknown(envelope, message, unknownTaskPatienceSeconds);
  return outcome.kind === 'dead-letter' && tracker ? tracker.giveUp({ message, envelope }, outcome) : outcome;
}

/** Says what became of a message, and hands the outcome on. */
function logged(
  { logger, doneLogger = logger }: Processing,
  fields: Partial<TaskFields>,
  outcome: Outcome,
  what: string,
  durationMs?: number,
): Outcome {
  switch (outcome.kind) {
    case 'done':
      doneLogger.info({ ...fields, durationMs }, `${what} done`);
      break;
    case 'retry': {
      const { delaySeconds, error } = outcome;
      logger.warn({ ...fields, durationMs, delaySeconds, error }, `${what} will be tried again`);
      break;
    }
    case 'dead-letter': {
      const { reason, error } = outcome;
      logger.error({ ...fields, durationMs, reason, error }, `${what} is a dead letter: ${reason}`);
      break;
    }
    case 'release':
      logger.info(
        { ...fields, durationMs, delaySeconds: outcome.delaySeconds, error: outcome.error },
        `${what} released`,
      );
      break;
  }
  return outcome;
}
