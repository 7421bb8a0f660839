// A task as it is put on the wire: checked against its contract, encoded, and with all that its row notes.
import { createHash } from 'node:crypto';
import { encodeEnvelope, type Envelope } from '../sqs/envelope.ts';
import { MAX_MESSAGE_BYTES } from '../sqs/queue-sender.ts';
import { sentPayload } from '../task/contract-values.ts';
import { TaskTooLargeError } from '../task/errors.ts';
import { queueOfLane } from '../task/lane.ts';
import type { FlowEnd, Listener, NextTask } from '../task/next-task.ts';
import type { SendOptions } from '../task/send-task.ts';
import type { TaskContract } from '../task/task.ts';
import type { ClockWatch } from '../time/clock-watch.ts';
import type { TraceContext } from '../telemetry/trace-context.ts';
import { checkedListeners } from './end-listeners.ts';
import { checkedDelay, checkedLinks, checkedSubject, checkedTaskId } from './send-checks.ts';

/** A task that can be sent. */
export interface PreparedTask extends NextTask {
  /** The envelope as JSON. */
  readonly body: string;
  /** How long it is kept from workers, in whole seconds. */
  readonly delaySeconds: number;
  /** When it may begin, ISO 8601; undefined for a task that is not put off. */
  readonly notBefore: string | undefined;
  /** How many tasks sent each other before this one. */
  readonly depth: number;
  readonly payloadHash: string;
  readonly trace: TraceContext;
  readonly subject: string | undefined;
  readonly onEnd: readonly Listener[] | undefined;
}

/** Where and when tasks are prepared. */
export interface Preparation {
  /** The sending service's name. */
  readonly source: string;
  /** SQS's time, which stands in the envelope. */
  readonly clock: ClockWatch;
  /** What delays are counted from, in milliseconds since 1970. Any number for a task that is not put off. */
  readonly nowMs: number;
  /** The last task of the flow that the task belongs to. */
  readonly flowEnd?: FlowEnd | undefined;
}

/**
 * Makes a task ready to be sent.
 *
 * @throws InvalidValueError when the payload breaks its contract, or an option its rules
 * @throws TooDeepError when too many tasks sent each other before this one
 * @throws TaskTooLargeError when it is more than SQS takes in one message
 */
export function prepareTask(
  contract: TaskContract,
  payload: unknown,
  options: SendOptions,
  { source, clock, nowMs, flowEnd }: Preparation,
): PreparedTask {
  const { name: task, version } = contract;
  const queue = queueOfLane(contract, options.lane);
  const taskId = checkedTaskId(options, task);
  const { delaySeconds, notBefore } = checkedDelay(contract, options, nowMs);
  const subject = checkedSubject(options);
  const onEnd = checkedListeners(contract, options);
  const { trace, parentId, depth } = checkedLinks(options, task);
  const data = sentPayload(contract, payload);
  // SQS itself keeps a short delay. The worker checks `notBefore` of a longer one when it receives the message
  const held = contract.tracked ? { notBefore, parentId, flowEnd } : {};
  const time = timeBy(clock);
  const body = encodeTask({ taskId, task, version, source, time, trace, subject, depth, ...held, data });
  const payloadHash = createHash('sha256')
    .update(JSON.stringify(data) ?? '')
    .digest('base64url');
  return { taskId, task, queue, body, delaySeconds, notBefore, depth, payloadHash, trace, subject, onEnd };
}

/** The body of a task's message. @throws TaskTooLargeError when it is more than SQS takes */
export function encodeTask(envelope: Envelope): string {
  const body = encodeEnvelope(envelope);
  const bytes = Buffer.byteLength(body);
  if (bytes <= MAX_MESSAGE_BYTES) return body;
  throw new TaskTooLargeError(envelope.task, bytes, MAX_MESSAGE_BYTES);
}

/** The time of an envelope, ISO 8601. */
export function timeBy({ nowMs }: ClockWatch): string {
  return new Date(nowMs).toISOString();
}
