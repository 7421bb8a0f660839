// One message, from its body to its outcome.
import { attemptOf } from '../sqs/copy-notes.ts';
import { isTickBody } from '../sqs/tick-message.ts';
import { decodeEnvelope } from '../sqs/envelope.ts';
import { memoryBytesOf } from '../sqs/json-shape.ts';
import { bytesOf, type ReceivedMessage } from '../sqs/received-message.ts';
import type { Signatures } from '../sqs/signatures.ts';
import type { MalformedEnvelopeError, MessageTooLargeError } from '../task/errors.ts';
import { type Outcome, outcomeOfBody } from '../task/outcome.ts';
import { asError } from '../task/plain-error.ts';
import { startTrace } from '../telemetry/trace-context.ts';
import {
  type Admission,
  admit,
  asCopyAfterManyReceives,
  isRefused,
  outcomeWithoutAttempt,
  type ReceivedTask,
} from './admission.ts';
import { type AttemptHost, runAttempt } from './attempt.ts';
import { logOutcome, type TaskFields } from './outcome-log.ts';
import type { Processing } from './processing.ts';
import { UntrackedAttempt } from './untracked-attempt.ts';

/**
 * Makes one attempt at a message and returns its outcome. Waits until there is memory for its payload. Settles nothing
 * and never rejects: whatever the message holds and the handler does becomes an outcome.
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
  const { payloads, signatures } = processing;
  const named = { queue, messageId: message.messageId, attempt: attemptOf(message) };
  const bytes = payloads ? memoryBytesOf(message.body) + bytesOf(message) - message.body.length : 0;
  if (payloads && !payloads.take(bytes) && !(await payloads.takeLater(bytes, host.signal))) {
    const released = { kind: 'release', error: asError(host.signal.reason) } as const;
    return logOutcome(processing, named, released);
  }
  try {
    const trusted = signatures ? await trustedMessage(message, named, signatures, processing) : message;
    if ('kind' in trusted) return logOutcome(processing, named, trusted);
    const read = receivedTask(trusted, named, processing);
    if ('kind' in read) return logOutcome(processing, named, read);
    const admission = await admit(read, host.signal, processing);
    if (isRefused(admission))
      return logOutcome(processing, read.fields, asSigned(admission, trusted, message));
    const received = admission.begun ? attemptedAs(read, admission.begun.attempt) : read;

    const startedAtMs = performance.now();
    const decided =
      outcomeWithoutAttempt(received, admission, processing) ??
      (await runAttempt(received, admission, host, processing));
    // A first attempt that is done, as most are, leaves nothing to write
    const outcome =
      admission.begun || decided.kind !== 'done'
        ? asSigned(await conclude(trusted, admission, decided, processing), trusted, message)
        : decided;
    return logOutcome(processing, received.fields, outcome, Math.round(performance.now() - startedAtMs));
  } finally {
    payloads?.giveBack(bytes);
  }
}

/** An outcome whose dead letter or copy has the body that was signed here. */
function asSigned(outcome: Outcome, { body }: ReceivedMessage, message: ReceivedMessage): Outcome {
  return body === message.body || outcome.kind === 'done' ? outcome : { ...outcome, body };
}

function attemptedAs(received: ReceivedTask, attempt: number): ReceivedTask {
  return { ...received, fields: { ...received.fields, attempt } };
}

/** How long a message rests while the keys cannot be read. */
const KEYS_REST_SECONDS = 30;

/**
 * A message as it may be believed, or the outcome of one without a valid signature. Nothing of it is parsed before.
 *
 * An unsigned tick may have no notes: whoever may send to the queue could have a failed one start again. It gets a signature,
 * for its dead letter and its copies.
 */
async function trustedMessage(
  message: ReceivedMessage,
  named: Pick<TaskFields, 'queue' | 'messageId'>,
  signatures: Signatures,
  { implementations, logger, now = Date.now }: Processing,
): Promise<ReceivedMessage | Outcome> {
  const { body, attributes } = message;
  try {
    const error = await signatures.faultIn(body, named.queue);
    if (!error) return message;
    if (isTickBody(body, implementations, now())) {
      if (Object.keys(attributes).length > 0)
        return signatures.required ? { ...message, attributes: {} } : message;
      return { ...message, body: await signatures.signed(body, named.queue) };
    }
    if (signatures.required) return { kind: 'dead-letter', reason: 'bad-signature', error };
    logger.warn({ ...named, error }, 'message without a valid signature was accepted');
    return message;
  } catch (cause) {
    const release = { kind: 'release', error: asError(cause), delaySeconds: KEYS_REST_SECONDS } as const;
    return asCopyAfterManyReceives(release, message);
  }
}

/** Reads the envelope of a message. Returns the outcome of the message if that cannot be read. */
function receivedTask(
  message: ReceivedMessage,
  named: Pick<TaskFields, 'queue' | 'messageId' | 'attempt'>,
  { implementations }: Processing,
): ReceivedTask | Outcome {
  try {
    const envelope = decodeEnvelope(message.body, implementations.maxPayloadBytes);
    const { taskId, task, trace = startTrace() } = envelope;
    const fields = { ...named, task, taskId, traceId: trace.traceId };
    return { message, envelope, trace, fields };
  } catch (error) {
    return outcomeOfBody(error as MalformedEnvelopeError | MessageTooLargeError);
  }
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
