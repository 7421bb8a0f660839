// The envelope: the JSON around a payload on the wire.
import { createHash } from 'node:crypto';
import * as z from 'zod';
import { formatTraceparent, parseTraceparent, type TraceContext } from '../telemetry/trace-context.ts';
import { MalformedEnvelopeError, MessageTooLargeError } from '../task/errors.ts';
import { type FlowEnd, flowEndSchema, formatFlowEnd, parseFlowEnd } from '../task/next-task.ts';
import { subjectSchema } from '../task/task-end.ts';
import { MAX_MESSAGE_BYTES, versionSchema } from '../task/task.ts';
import { valueIssues } from '../task/invalid-value.ts';
import { shapeOf } from './json-shape.ts';

/** The longest task id, in characters. */
export const MAX_TASK_ID_CHARACTERS = 128;

/**
 * The longest chain of tasks of which each was sent by the handler of the one before. Nothing else ends tasks that send
 * each other for ever, because functions may send to their own queues.
 */
export const MAX_DEPTH = 1000;

/** The most levels of a body: 1,000 of a payload, and those of the envelope, a group's list and a listener's payload. */
const MAX_BODY_LEVELS = 1010;

/** The bytes for which a payload may have one value. A check of many values takes long, each with an issue most of all. */
const BYTES_A_VALUE = 16;
/** The values that a payload may have in any case. */
const SOME_VALUES = 4096;

/** The most bytes of a body beside its payload. Baton's own envelopes have at most 2,500. */
export const MAX_ENVELOPE_BYTES = 4096;

const TASK_ID = /^[\w.:-]+$/;

/** Accepts a caller's own task id: letters, digits and `._:-`. */
export const taskIdSchema = z
  .string()
  .max(MAX_TASK_ID_CHARACTERS)
  .regex(TASK_ID, 'expected letters, digits, and . _ : -');

/** Whether a value is a task id. */
export function isTaskId(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_TASK_ID_CHARACTERS && TASK_ID.test(value);
}

/** Accepts the name of a service, which is the `source` of its envelopes. */
export const sourceSchema = z
  .string()
  .max(64)
  .regex(/^[a-z0-9-]+$/, 'expected a service name of lower-case letters, digits and hyphens');

/**
 * The characters that are written as JSON escapes, so that they are plain ASCII. SQS refuses a body with U+FFFE or U+FFFF
 * (SendMessage in its API reference), and an emulator refuses surrogate pairs. JSON itself escapes the other characters
 * that SQS refuses.
 */
const NOT_ON_THE_WIRE = /[\uD800-\uDFFF\uFFFE\uFFFF]/g;

/** ISO 8601. A fraction of a second may have any number of digits. */
const timeSchema = z.iso.datetime({ offset: true }).max(40);

const wireSchema = z.object({
  specversion: z.literal('1.0'),
  id: taskIdSchema,
  source: sourceSchema,
  type: z
    .string()
    .max(128)
    .regex(/^[\w.:-]+$/, 'expected the name of a task'),
  time: timeSchema,
  // A longer subject of another sender is ignored, like a broken `traceparent`
  subject: subjectSchema.optional().catch(undefined),
  traceparent: z.string().max(1000).optional().catch(undefined),
  notbefore: timeSchema.optional(),
  parentid: taskIdSchema.optional(),
  contractversion: versionSchema.optional(),
  depth: z.int().min(0).max(MAX_DEPTH).optional(),
  flowend: flowEndSchema,
  undefineditems: z
    .string()
    .regex(/^\d{1,3}(,\d{1,3}){0,99}$/)
    .optional()
    .catch(undefined),
  // Left out if it is undefined, as for z.void()
  data: z.unknown().optional(),
});

/** The data around a payload on the wire. */
export interface Envelope {
  /** The task's id: the same at every redelivery. */
  readonly taskId: string;
  /** The name of the task's contract. */
  readonly task: string;
  /** The version of the sender's contract. Default 1. */
  readonly version?: number | undefined;
  /** The service that sent it. */
  readonly source: string;
  /** When it was sent, ISO 8601. */
  readonly time: string;
  readonly trace: TraceContext | undefined;
  /** What the task is about, such as a payment's id. */
  readonly subject?: string | undefined;
  /** The earliest time at which the task may run, ISO 8601. */
  readonly notBefore?: string | undefined;
  /** The task whose handler sent it. */
  readonly parentId?: string | undefined;
  /** How many tasks in a row sent each other before this one. Default 0: its sender is no task. */
  readonly depth?: number | undefined;
  /** The last task of its chain or group. Undefined for that task itself. */
  readonly flowEnd?: FlowEnd | undefined;
  /** The payload, not yet checked against its contract. */
  readonly data: unknown;
  /** Why the payload was not read: the body is too large, or has too many levels or values. `data` is undefined then. */
  readonly unread?: MessageTooLargeError | undefined;
}

/**
 * Writes an envelope as a message body: CloudEvents 1.0 in structured JSON mode, with `traceparent` of the Distributed
 * Tracing extension. Baton's own extensions are `notbefore`, `parentid`, `depth` (left out if 0), `contractversion` (left
 * out if 1), `flowend` (the last task of the chain or group) and `undefineditems` (the indexes of undefined items in a
 * list, such as a group's results, for which JSON only has `null`).
 */
export function encodeEnvelope(envelope: Envelope): string {
  return onTheWire({
    specversion: '1.0',
    id: envelope.taskId,
    source: envelope.source,
    type: envelope.task,
    time: envelope.time,
    datacontenttype: 'application/json',
    ...(envelope.subject !== undefined && { subject: envelope.subject }),
    ...(envelope.trace && { traceparent: formatTraceparent(envelope.trace) }),
    ...(envelope.notBefore !== undefined && { notbefore: envelope.notBefore }),
    ...(envelope.parentId !== undefined && { parentid: envelope.parentId }),
    ...(envelope.depth !== undefined && envelope.depth > 0 && { depth: envelope.depth }),
    ...(envelope.version !== undefined && envelope.version > 1 && { contractversion: envelope.version }),
    ...(envelope.flowEnd && { flowend: formatFlowEnd(envelope.flowEnd) }),
    ...undefinedItems(envelope.data),
    data: envelope.data,
  });
}

/** The JSON of a value as it is in a message body. Empty for `undefined`. */
export function onTheWire(value: unknown): string {
  const json = JSON.stringify(value) ?? '';
  return json.replaceAll(NOT_ON_THE_WIRE, (character) => `\\u${character.charCodeAt(0).toString(16)}`);
}

function undefinedItems(data: unknown): { undefineditems?: string } {
  if (!Array.isArray(data) || !data.includes(undefined)) return {};
  return { undefineditems: data.flatMap((item, index) => (item === undefined ? [index] : [])).join() };
}

function withUndefinedItems(data: unknown, places: string | undefined): unknown {
  if (!Array.isArray(data) || places === undefined) return data;
  const undefinedPlaces = new Set(places.split(',').map(Number));
  return data.map((item: unknown, index) => (undefinedPlaces.has(index) ? undefined : item));
}

/**
 * Reads a message body. Ignores attributes that this version does not know, and a broken `traceparent` or `subject`.
 *
 * The payload of a body that is too large, or has too many levels or values, is not read. The rest of it is, if it stands before
 * the payload, as Baton writes it: `unread` says why.
 *
 * @param mostPayloadBytes - a larger payload is not read. Default: SQS's limit
 * @throws MalformedEnvelopeError if the body is not JSON, or not a CloudEvents 1.0 envelope. Its message says where
 * @throws MessageTooLargeError if the payload is not read, and nothing else can be
 */
export function decodeEnvelope(body: string, mostPayloadBytes = MAX_MESSAGE_BYTES): Envelope {
  const unread = tooLarge(body, mostPayloadBytes);
  const parsed = wireSchema.safeParse(unread ? headOf(body) : parseJson(body));
  if (!parsed.success) {
    if (unread) throw unread;
    const issues = valueIssues(parsed.error).map(({ path, message }) => `${path || '(root)'}: ${message}`);
    throw new MalformedEnvelopeError(`The body is not a CloudEvents 1.0 envelope: ${issues.join('; ')}`);
  }
  const wire = parsed.data;
  return {
    taskId: wire.id,
    task: wire.type,
    version: wire.contractversion,
    source: wire.source,
    time: wire.time,
    trace: parseTraceparent(wire.traceparent),
    subject: wire.subject,
    notBefore: wire.notbefore,
    parentId: wire.parentid,
    depth: wire.depth,
    flowEnd: parseFlowEnd(wire.flowend),
    data: withUndefinedItems(wire.data, wire.undefineditems),
    ...(unread && { unread }),
  };
}

/** Names a body by its length and hash, without its content. A reader who has the body can compare them. */
function bytesAndHashOf(body: string): string {
  const hash = createHash('sha256').update(body).digest('hex');
  return `${Buffer.byteLength(body)} bytes with the SHA-256 ${hash.slice(0, 16)}...`;
}

/** Whether a body is so large that its payload has more than so many bytes. */
export function isLargerThan(body: string, payloadBytes: number): boolean {
  const mostBytes = payloadBytes + MAX_ENVELOPE_BYTES;
  // A character has 1 to 3 bytes, so most bodies need not be counted
  return body.length > mostBytes || (body.length * 3 > mostBytes && Buffer.byteLength(body) > mostBytes);
}

/** Why a body is not read. Looks at its text only, because its values may take 30 times as much memory. */
function tooLarge(body: string, payloadBytes: number): MessageTooLargeError | undefined {
  if (isLargerThan(body, payloadBytes)) {
    const bytes = Buffer.byteLength(body);
    return new MessageTooLargeError(
      `expected a payload of at most ${payloadBytes} bytes, got a body of ${bytes}`,
    );
  }
  const fault = shapeFaultOf(body, payloadBytes);
  return fault === undefined ? undefined : new MessageTooLargeError(fault);
}

/**
 * Says what a body has too much of: levels, or values for a payload of at most so many bytes. Undefined if nothing. Looks
 * through long texts only, because each level needs two characters.
 */
export function shapeFaultOf(body: string, payloadBytes: number): string | undefined {
  if (body.length <= 2 * MAX_BODY_LEVELS) return undefined;
  const { levels, values } = shapeOf(body);
  if (levels > MAX_BODY_LEVELS) return `expected at most ${MAX_BODY_LEVELS} levels of lists and objects`;
  const mostValues = Math.max(SOME_VALUES, Math.floor(payloadBytes / BYTES_A_VALUE));
  return values > mostValues
    ? `expected a payload of at most ${mostValues} values, one for ${BYTES_A_VALUE} bytes that its contract allows, got ${values}`
    : undefined;
}

/** The attributes of an envelope that stand before its payload. Undefined if they cannot be read. */
function headOf(body: string): unknown {
  const head = body.slice(0, MAX_ENVELOPE_BYTES);
  const end = head.indexOf(',"data":');
  try {
    return end < 0 ? undefined : JSON.parse(`${head.slice(0, end)}}`);
  } catch {
    return undefined;
  }
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    // The parser's message quotes the body, which does not belong in a log
    throw new MalformedEnvelopeError(`The body is not JSON: ${bytesAndHashOf(body)}`);
  }
}
