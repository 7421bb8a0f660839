// A task that is ready to be sent: checked against its contract and encoded.
import { createHash } from 'node:crypto';
import { encodeEnvelope, type Envelope, onTheWire, shapeFaultOf } from '../sqs/envelope.ts';
import { sentPayload } from '../task/contract-values.ts';
import { TaskTooLargeError } from '../task/errors.ts';
import { queueOfLane } from '../task/lane.ts';
import { toJson } from '../task/json-value.ts';
import type { FlowEnd, Listener, NextTask } from '../task/next-task.ts';
import type { SendOptions } from '../task/send-task.ts';
import { MAX_MESSAGE_BYTES, maxPayloadBytesOf, type TaskContract } from '../task/task.ts';
import type { ClockWatch } from '../time/clock-watch.ts';
import type { TraceContext } from '../telemetry/trace-context.ts';
import { checkedListeners } from './end-listeners.ts';
import { checkedDelay, checkedLinks, checkedSubject, checkedTaskId } from './send-checks.ts';

/** A task that is ready to be sent, with the members of its row. */
export interface PreparedTask extends NextTask {
  /** The envelope as JSON. */
  readonly body: string;
  /** How long SQS hides the message from workers, in whole seconds. */
  readonly delaySeconds: number;
  /** The earliest start time, ISO 8601. Undefined for a task without a delay. */
  readonly notBefore: string | undefined;
  /** How many tasks sent each other before this one. */
  readonly depth: number;
  readonly payloadHash: string;
  readonly trace: TraceContext;
  readonly subject: string | undefined;
  readonly onEnd: readonly Listener[] | undefined;
}

/** Configures the preparation of a task. */
export interface Preparation {
  /** The sending service's name. */
  readonly source: string;
  /** Gives SQS's time for the envelope. */
  readonly clock: ClockWatch;
  /** The time that delays count from, in milliseconds since 1970. Any number for a task without a delay. */
  readonly nowMs: number;
  /** The last task of the flow that the task belongs to. */
  readonly flowEnd?: FlowEnd | undefined;
  /** The bytes that a signature will add to the body. */
  readonly reservedBytes: number;
}

/**
 * Makes a task ready to be sent: checks its payload and options, and encodes its envelope.
 *
 * @throws InvalidValueError if the payload breaks its contract, or an option is invalid
 * @throws TooDeepError if too many tasks sent each other before this one
 * @throws TaskTooLargeError if the payload is larger than its contract allows, or the task than a message of SQS may be
 */
export function prepareTask(
  contract: TaskContract,
  payload: unknown,
  options: SendOptions,
  { source, clock, nowMs, flowEnd, reservedBytes }: Preparation,
): PreparedTask {
  const { name: task, version } = contract;
  const queue = queueOfLane(contract, options.lane);
  const taskId = checkedTaskId(options, task);
  const { delaySeconds, notBefore } = checkedDelay(contract, options, nowMs);
  const subject = checkedSubject(options);
  const onEnd = checkedListeners(contract, options);
  const { trace, parentId, depth } = checkedLinks(options, task);
  const data = sentPayload(contract, payload);
  // SQS itself keeps a short delay. The worker enforces a longer one by `notBefore` when it receives the message
  const held = contract.tracked ? { notBefore, parentId, flowEnd } : {};
  const time = timeBy(clock);
  const envelope = { taskId, task, version, source, time, trace, subject, depth, ...held, data };
  const body = encodeTask(envelope, maxPayloadBytesOf(contract), reservedBytes);
  const payloadHash = payloadHashOf(data);
  const sent = { body, delaySeconds, notBefore, depth, payloadHash, trace, subject, onEnd };
  return { taskId, task, version, queue, ...sent };
}

/**
 * The digest of a payload: SHA-256 of its JSON without white space, with the members in the order of the body. It is the
 * same where the payload is sent and where its envelope was decoded, also after something has parsed and rewritten the body.
 */
export function payloadHashOf(data: unknown): string {
  return createHash('sha256').update(toJson(data)).digest('base64url');
}

/**
 * Encodes the body of a task's message.
 *
 * @param maxPayloadBytes - the largest payload that its contract allows
 * @param reservedBytes - the bytes that a signature will add
 * @throws TaskTooLargeError if its receiver would not read it, or it is larger than a message of SQS may be
 */
export function encodeTask(envelope: Envelope, maxPayloadBytes: number, reservedBytes: number): string {
  const { task, data } = envelope;
  const body = encodeEnvelope(envelope);
  const bytes = Buffer.byteLength(body) + reservedBytes;
  const payloadBytes = bytes > maxPayloadBytes ? Buffer.byteLength(onTheWire(data)) : 0;
  if (payloadBytes > maxPayloadBytes)
    throw new TaskTooLargeError(
      task,
      `expected a payload of at most ${maxPayloadBytes} bytes (maxPayloadBytes of its contract), got ${payloadBytes}`,
    );
  if (bytes > MAX_MESSAGE_BYTES)
    throw new TaskTooLargeError(
      task,
      `expected a message of at most ${MAX_MESSAGE_BYTES} bytes, as SQS allows, got ${bytes}`,
    );
  const fault = shapeFaultOf(body, maxPayloadBytes);
  if (fault !== undefined) throw new TaskTooLargeError(task, fault);
  return body;
}

/** The `time` of an envelope: SQS's time, ISO 8601. */
export function timeBy({ nowMs }: ClockWatch): string {
  return new Date(nowMs).toISOString();
}
