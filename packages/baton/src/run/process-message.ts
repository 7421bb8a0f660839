// One message, from its body to its outcome.
import { attemptOf } from '../sqs/copy-notes.ts';
import { decodeEnvelope, type Envelope } from '../sqs/envelope.ts';
import type { ReceivedMessage } from '../sqs/received-message.ts';
import type { MalformedEnvelopeError } from '../task/errors.ts';
import { type Outcome, outcomeOfBody } from '../task/outcome.ts';
import { startTrace } from '../telemetry/trace-context.ts';
import {
  type Admission,
  admit,
  asCopyAfterManyReceives,
  isRefused,
  outcomeWithoutAttempt,
} from './admission.ts';
import { type AttemptHost, runAttempt } from './attempt.ts';
import { logOutcome } from './outcome-log.ts';
import type { Processing } from './processing.ts';
import { UntrackedAttempt } from './untracked-attempt.ts';

/**
 * Makes one attempt at a message and returns its outcome. Settles nothing and never rejects: whatever the message holds
 * and the handler does becomes an outcome.
 *
 * @param queue - the queue's name, or its lane's (`payments_high`), for the log and the task store
 * @param host - the worker or function that holds the message
 */
export async function processMessage(
  message: ReceivedMessage,
  queue: string,
  host: AttemptHost,
  processing: Processing,
): Promise<Outcome> {
  const { messageId } = message;
  let envelope: Envelope;
  try {
    envelope = decodeEnvelope(message.body);
  } catch (error) {
    const fields = { queue, messageId, attempt: attemptOf(message) };
    return logOutcome(processing, fields, outcomeOfBody(error as MalformedEnvelopeError));
  }
  const { taskId, task, trace = startTrace() } = envelope;
  const fields = { queue, messageId, attempt: attemptOf(message), task, taskId, traceId: trace.traceId };
  const received = { message, envelope, trace, fields };

  const admission = await admit(received, host.signal, processing);
  if (isRefused(admission)) return logOutcome(processing, fields, admission);
  if (admission.begun) fields.attempt = admission.begun.attempt;

  const startedAtMs = performance.now();
  const decided =
    outcomeWithoutAttempt(received, admission, processing) ??
    (await runAttempt(received, admission, host, processing));
  // A first attempt that is done, as most are, leaves nothing to write
  const outcome =
    admission.begun || decided.kind !== 'done'
      ? await conclude(message, admission, decided, processing)
      : decided;
  return logOutcome(processing, fields, outcome, Math.round(performance.now() - startedAtMs));
}

/** Writes an outcome to the task store or the log of receives. Resolves to the outcome of the message. */
async function conclude(
  message: ReceivedMessage,
  { implementation: { contract }, begun, claim }: Admission,
  decided: Outcome,
  processing: Processing,
): Promise<Outcome> {
  if (claim) return asCopyAfterManyReceives(await claim.conclude(decided), message);
  return (begun ?? UntrackedAttempt.first(message, contract, processing)).conclude(decided);
}
