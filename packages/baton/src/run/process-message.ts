import { within } from '../time/within.ts';
import type { Logger } from '../telemetry/logger.ts';
import { isInstance } from '../telemetry/thrown.ts';
import { startTrace, type TraceContext } from '../telemetry/trace-context.ts';
import { outcomeOfCopyInWait, outcomeOfEarly } from './early-task.ts';
import { checkedResult, receivedPayload } from '../task/contract-values.ts';
import { ageOfFirstMs, attemptOf, FIRST_SENT, notesOf, receiveOf, UNCONCLUDED } from '../sqs/copy-notes.ts';
import { Ending } from './ending.ts';
import { decodeEnvelope, type Envelope } from '../sqs/envelope.ts';
import { InvalidValueError, type MalformedEnvelopeError } from '../task/errors.ts';
import type { Hold } from './hold.ts';
import type { Implementation, Implementations, WorkerIdentity } from '../task/implementation.ts';
import { type Outcome, outcomeOfBody, outcomeOfFailure } from '../task/outcome.ts';
import { ageMs, type ReceivedMessage } from '../sqs/received-message.ts';
import { RunningAttempt } from './running-attempt.ts';
import type { SendTask } from '../task/send-task.ts';
import { contextOf, type GatedContext } from './task-context.ts';
import type { HandlerRun, Threads } from './threads.ts';
import { beginAlone, outcomeOfCrashes } from './suspect.ts';
import { type BegunAttempt, type Claim, isClaim, type TaskTracker } from './task-tracker.ts';
import { UntrackedAttempt } from './untracked-attempt.ts';
import { outcomeOfUnknown, stillUnknown } from './unknown-task.ts';

/** A thread ends within milliseconds, unless it is inside native code. */
const TERMINATION_MS = 2000;
const MANY_RECEIVES = 20;
/** How long an outcome may take to be written down when its worker has to give the message up. */
const LONGEST_WRITE_SECONDS = 2;

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
  /**
   * Whether every receive of a message comes to a process that processes it so. Default false: as Lambda receives, which
   * may throttle the function.
   */
  readonly everyReceiveIsSeen?: boolean | undefined;
  /** Where handlers of the isolation `thread` run. Default: in this process, as all others. */
  readonly threads?: Threads | undefined;
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

  const again = !claim && receiveOf(message) > 1;
  const begun = again ? await attemptAgain(message, implementation, processing) : claim;
  if (begun) fields.attempt = begun.attempt;
  const startedAtMs = performance.now();
  const making = { implementation, envelope, message, trace, fields, begun, claim };
  const decided =
    outcomeOfCopyInWait(envelope, message, processing) ?? (await attempt(making, hold, processing));
  // Most messages are done at once, and cost nothing more
  const outcome = begun || decided.kind !== 'done' ? await concluded(making, decided, processing) : decided;
  return logged(processing, fields, outcome, task, Math.round(performance.now() - startedAtMs));
}

/**
 * A tracked task's message that SQS has handed out often goes on in a copy: else SQS would set it aside without a
 * reason, at the queues' `maxReceiveCount` of 30. The store counts attempts, so nothing starts anew by that.
 */
function goingOn(outcome: Outcome, message: ReceivedMessage): Outcome {
  const waits = outcome.kind === 'retry' || outcome.kind === 'release';
  if (!waits || message.receiveCount < MANY_RECEIVES) return outcome;
  return {
    ...outcome,
    asCopy: true,
    notes: { ...notesOf(message, [FIRST_SENT, UNCONCLUDED]), ...outcome.notes },
  };
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

/** An attempt at a message of an untracked task that was received before. */
async function attemptAgain(
  message: ReceivedMessage,
  { contract }: Implementation,
  { tracker, everyReceiveIsSeen = false, logger }: Processing,
): Promise<UntrackedAttempt> {
  return UntrackedAttempt.again({ message, contract, log: tracker?.receives, everyReceiveIsSeen, logger });
}

/** Writes an outcome down where the next attempt looks for it. */
async function concluded(
  { implementation: { contract }, message, begun, claim }: Attempt,
  decided: Outcome,
  { tracker, everyReceiveIsSeen = false, logger }: Processing,
): Promise<Outcome> {
  if (claim) return goingOn(await claim.conclude(decided), message);
  if (begun) return begun.conclude(decided);
  const first = { message, contract, log: tracker?.receives, everyReceiveIsSeen, logger };
  return UntrackedAttempt.first(first).conclude(decided);
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
  /** Of a tracked task its claim; of any other, what is known of it if its message was received before. */
  readonly begun: BegunAttempt | undefined;
  /** A tracked task's. */
  readonly claim: Claim | undefined;
}

async function attempt(making: Attempt, hold: Hold, processing: Processing): Promise<Outcome> {
  const { begun, claim, envelope, fields, message } = making;
  const { contract } = making.implementation;
  const givenUp = begun && outcomeOfCrashes(begun, contract);
  if (givenUp) return givenUp;
  const rights = claim ? [hold, claim] : [hold];
  const early = begun?.suspect ? await beginAlone(begun, hold, rights) : undefined;
  if (early) return early;
  const running = new RunningAttempt(fields, message.receiveCount, (error) => ending.fail(error));
  const ending = new Ending(rights, contract, processing.abortGraceSeconds, (code) => running.run(code));
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
  // The code of schemas belongs to the attempt, as its handler does: it may throw anything, block the loop or end the process
  let handler: HandlerRun;
  try {
    handler = running.run(() => {
      const payload = receivedPayload(contract, envelope.data);
      return startHandler(making, running, payload, gated, processing.threads);
    });
  } catch (thrown) {
    running.end();
    ending.close();
    return isInstance(thrown, InvalidValueError) ? outcomeOfBody(thrown) : failed(making, processing, thrown);
  }
  try {
    const result = await ending.unlessDeaf(handler.ended);
    if (ending.stray) throw ending.stray;
    return { kind: 'done', result };
  } catch (error) {
    if (ending.gaveUp(error) && !(await terminated(handler))) {
      gated.context.logger.error({ error }, `${contract.name} ignores its signal and still runs`);
      // A handler that lost the only step which could settle its promise never ends: it keeps no slot
      if (!ending.stray) hold.outlivedBy(handler.ended);
    }
    if (ending.outside) return { kind: 'release', error: ending.outside };
    // To read what was thrown may run its getters
    return running.run(() => failed(making, processing, ending.timeout ?? ending.stray ?? error));
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
  const ages = { ageMs: ageMs(message, now), firstAgeMs: ageOfFirstMs(message, now) };
  return outcomeOfFailure({ contract, attempt: fields.attempt, ...ages }, thrown);
}

/** The depth of what a task's handler sends. */
function depthBelow({ depth = 0 }: Envelope): number {
  return depth + 1;
}

function startHandler(
  { implementation: { contract, run }, envelope, trace, claim }: Attempt,
  running: RunningAttempt,
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
      running,
      ...gated,
    });
  return { ended: (async () => checkedResult(contract, await run(payload, gated.context)))() };
}

/** Ends a handler by force, where that can be done; resolves to whether it is gone. */
async function terminated({ ended, terminate }: HandlerRun): Promise<boolean> {
  if (!terminate) return false;
  terminate();
  const gone = ended.then(
    () => true,
    () => true,
  );
  return within(TERMINATION_MS, gone, () => false);
}

/** A task that nobody here knows may be tracked all the same: then its row ends as its message does. */
async function unknown(
  message: ReceivedMessage,
  envelope: Envelope,
  { tracker, unknownTaskPatienceSeconds }: Processing,
): Promise<Outcome> {
  const outcome = outcomeOfUnknown(envelope, message, unknownTaskPatienceSeconds);
  if (outcome.kind !== 'dead-letter' || !tracker) return outcome;
  return stillUnknown(await tracker.giveUp({ message, envelope }, outcome), message);
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
