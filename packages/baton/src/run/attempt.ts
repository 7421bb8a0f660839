// One attempt: runs a handler, in this process or in a thread, and turns its end into an outcome.
import { ageOfFirstMs } from '../sqs/copy-notes.ts';
import { ageMs } from '../sqs/received-message.ts';
import { checkedResult, receivedPayload } from '../task/contract-values.ts';
import { InvalidValueError } from '../task/invalid-value.ts';
import type { Implementation, TaskContext } from '../task/implementation.ts';
import { type Outcome, outcomeOfBody, outcomeOfFailure } from '../task/outcome.ts';
import { asError } from '../task/plain-error.ts';
import { within } from '../time/within.ts';
import { isInstance } from '../telemetry/thrown.ts';
import type { Admission, ReceivedTask } from './admission.ts';
import { AttemptEnd, type Right } from './attempt-end.ts';
import type { TaskContract } from '../task/task.ts';
import type { Processing } from './processing.ts';
import { attemptContext, type AttemptName, RunningAttempt } from './running-attempt.ts';
import { contextOf, depthBelow, type GatedContext } from './task-context.ts';
import type { BegunAttempt, Claim } from './task-tracker.ts';
import type { HandlerRun, Threads } from './threads.ts';

/** A thread ends within milliseconds, unless it is inside native code. */
const TERMINATION_MS = 2000;

/** The worker or function that makes an attempt: it holds the message and shares its process with other attempts. */
export interface AttemptHost extends Right {
  /** Aborts when the lease of the message is lost or the process must stop. A handler that then fails is released. */
  readonly signal: AbortSignal;
  /** Called right before the handler starts. */
  begins?(attempt: AttemptName): void;
  /** Called if the outcome is decided while the handler still runs, because it ignores its signal. @param handler - its end */
  outlivedBy(handler: Promise<unknown>): void;
  /**
   * Resolves once no other attempt runs in this process, or after a limited wait. No other attempt starts until this one
   * has its outcome or has run for a while. Called before the handler of a task whose last worker died: if it kills this
   * worker too, it harms no other task. The message's lease is renewed meanwhile. Default: other attempts run beside it.
   *
   * @param ended - aborts when the attempt ends before its turn
   * @returns whether no other attempt runs
   * @throws the reason of `ended`, and any error that keeps this process from running the task. The message is released
   */
  runAlone?(ended: AbortSignal): Promise<boolean>;
}

/** Runs the handler of an admitted task and returns the outcome. Never rejects. */
export async function runAttempt(
  received: ReceivedTask,
  admission: Admission,
  host: AttemptHost,
  processing: Processing,
): Promise<Outcome> {
  const { message, envelope, fields } = received;
  const { begun, claim, implementation } = admission;
  const { contract } = implementation;
  const rights = claim ? [host, claim] : [host];
  const refused = begun?.suspect ? await beginAlone(begun, host, rights) : undefined;
  if (refused) return refused;
  const running = new RunningAttempt(fields, message.receiveCount, (error) => end.fail(error));
  const end = new AttemptEnd(rights, contract, processing.abortGraceSeconds, running);
  const gated = contextOf(received, admission, end, processing);
  host.begins?.(fields);
  let handler: HandlerRun;
  try {
    // A schema's code belongs to the attempt like its handler: it may throw, block the event loop or end the process
    const payload = attemptContext.run(running, receivedPayload, contract, envelope.data);
    handler =
      processing.threads && contract.isolation === 'thread'
        ? attemptContext.run(running, startInThread, processing.threads, received, claim, running, gated)
        : { ended: attemptContext.run(running, runHandler, implementation, payload, gated.context) };
  } catch (thrown) {
    running.end();
    end.close();
    return isInstance(thrown, InvalidValueError)
      ? outcomeOfBody(thrown)
      : failed(received, contract, processing, thrown);
  }
  try {
    const result = await end.resultOf(handler.ended);
    if (end.stray) throw end.stray;
    return { kind: 'done', result };
  } catch (error) {
    if (end.isUnresponsive(error) && !(await terminated(handler))) {
      gated.context.logger.error({ error }, `${contract.name} ignores its signal and still runs`);
      // A handler that lost the only step that could settle its promise never ends. It must not keep its slot
      if (!end.stray) host.outlivedBy(handler.ended);
    }
    if (end.lostRight) return { kind: 'release', error: end.lostRight };
    const why = end.timeout ?? end.stray ?? error;
    // Reading what was thrown may call its getters
    return attemptContext.run(running, failed, received, contract, processing, why);
  } finally {
    running.end();
    end.close();
  }
}

/** Runs a handler in this process. Resolves to its checked result. */
async function runHandler(
  { contract, run }: Implementation,
  payload: unknown,
  context: TaskContext,
): Promise<unknown> {
  return checkedResult(contract, await run(payload, context));
}

/** Starts a handler in a worker thread. */
function startInThread(
  threads: Threads,
  { envelope, trace }: ReceivedTask,
  claim: Claim | undefined,
  running: RunningAttempt,
  gated: GatedContext,
): HandlerRun {
  const { task, data } = envelope;
  return threads.run({ task, data, depth: depthBelow(envelope), trace, claim, running, ...gated });
}

/**
 * Starts an attempt at a task whose last worker died, alone in this process. Resolves to the message's outcome if it
 * cannot start.
 */
async function beginAlone(
  suspect: BegunAttempt,
  host: AttemptHost,
  rights: readonly Right[],
): Promise<Outcome | undefined> {
  const ended = AbortSignal.any(rights.map(({ signal }) => signal));
  try {
    const alone = (await host.runAlone?.(ended)) ?? false;
    ended.throwIfAborted();
    await suspect.begins(alone);
    return undefined;
  } catch (error) {
    return { kind: 'release', error: asError(error) };
  }
}

/** Terminates a handler that runs in a thread. Resolves to whether it has ended. */
async function terminated({ ended, terminate }: HandlerRun): Promise<boolean> {
  if (!terminate) return false;
  terminate();
  const gone = ended.then(
    () => true,
    () => true,
  );
  return within(TERMINATION_MS, gone, () => false);
}

function failed(
  { message, fields: { attempt } }: ReceivedTask,
  contract: TaskContract,
  { now }: Processing,
  thrown: unknown,
): Outcome {
  const ages = { ageMs: ageMs(message, now), firstAgeMs: ageOfFirstMs(message, now) };
  return outcomeOfFailure({ contract, attempt, ...ages }, thrown);
}
