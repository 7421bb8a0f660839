import type * as z from 'zod';
// Not by z.core, which would bring all its languages into every bundle
import { $ZodAsyncError } from 'zod/v4/core';
import { readThrown } from '../telemetry/thrown.ts';
import { reportOf } from './contract-schema.ts';
import { InvalidValueError, type ValueIssue, valueIssues } from './invalid-value.ts';
import { RejectTask } from './errors.ts';
import { differenceOf, fromJson, hasProto, jsonIssue, toJson } from './json-value.ts';
import { attempted } from './schema-checks.ts';
import type { TaskContract } from './task.ts';

/**
 * A payload as it is sent.
 *
 * @throws InvalidValueError when it breaks its contract, JSON cannot carry it, or its schema would change it again
 */
export function sentPayload({ name, payload: schema }: TaskContract, payload: unknown): unknown {
  const data = checked(`The payload breaks the contract ${name}`, schema, payload);
  const { value, issue } = carried(schema, payload, data);
  if (issue) throw new InvalidValueError(`The payload of ${name} cannot be sent`, [issue]);
  return value;
}

/** A payload as its handler gets it. @throws InvalidValueError when it breaks its contract */
export function receivedPayload({ name, payload: schema }: TaskContract, data: unknown): unknown {
  return checked(`The payload breaks the contract ${name}`, schema, data);
}

/**
 * A handler's result.
 *
 * @throws InvalidValueError when it breaks its contract
 * @throws RejectTask when it cannot be checked, or the task is tracked and the result cannot be kept as it is: running it
 *   again would give the same
 */
export function checkedResult({ name, result: schema, tracked }: TaskContract, result: unknown): unknown {
  let data;
  try {
    data = checked(`The result of ${name} breaks its contract`, schema, result);
  } catch (error) {
    if (error instanceof InvalidValueError && error.issues.includes(ASYNCHRONOUS))
      throw new RejectTask(error.message);
    throw error;
  }
  if (!tracked) return data;
  const { value, issue } = carried(schema, result, data);
  if (!issue) return value;
  const { message } = new InvalidValueError(`The result of ${name} cannot be kept`, [issue]);
  throw new RejectTask(message);
}

function checked(what: string, schema: z.ZodType, value: unknown): unknown {
  let parsed;
  try {
    parsed = schema.safeParse(value);
  } catch (cause) {
    if (cause instanceof RangeError) throw new InvalidValueError(what, [TOO_DEEP]);
    if (cause instanceof $ZodAsyncError) throw new InvalidValueError(what, [ASYNCHRONOUS]);
    if (isUnmergable(cause)) throw new InvalidValueError(what, [UNMERGABLE]);
    throw cause;
  }
  if (parsed.success) return parsed.data;
  throw new InvalidValueError(what, valueIssues(parsed.error));
}

const TOO_DEEP: ValueIssue = { path: '', message: 'nested too deeply' };
const ASYNCHRONOUS: ValueIssue = {
  path: '',
  message: 'its schema has an asynchronous check, which cannot be awaited; expected it in the handler',
};

const UNMERGABLE: ValueIssue = {
  path: '',
  message: 'the two sides of an intersection in its schema give different values of it',
};

/** zod throws it as a plain error, though it is of the value. */
function isUnmergable(error: unknown): boolean {
  return readThrown(error).message.startsWith('Unmergable intersection');
}

/** A value as JSON carries it, or why that is another one. Most schemas give only what arrives: nothing is looked at then. */
function carried(
  schema: z.ZodType,
  given: unknown,
  data: unknown,
): { readonly value: unknown; readonly issue?: ValueIssue | undefined } {
  if (reportOf(schema).isExact) return { value: data };
  const issue = jsonIssue(data) ?? protoIssue(given, data);
  if (issue) return { value: data, issue };
  const json = toJson(data);
  return { value: fromJson(json), issue: arrivalIssue(schema, data, json) };
}

function protoIssue(given: unknown, data: unknown): ValueIssue | undefined {
  const isDropped = hasProto(given) && !hasProto(data);
  return isDropped
    ? { path: '__proto__', message: 'a member of this name is dropped; expected another name' }
    : undefined;
}

/** Why a value that is checked again where it is read is refused there, or becomes another one. */
function arrivalIssue(schema: z.ZodType, data: unknown, json: string): ValueIssue | undefined {
  // A check may change what it is given
  const arrived = attempted(() => schema.safeParse(fromJson(json)))?.result;
  if (!arrived) return { path: '', message: 'its schema throws where it is read' };
  if (arrived.success) {
    const place = differenceOf(fromJson(json), arrived.data);
    return (
      place && {
        path: place.join('.').slice(0, 200),
        message:
          'a check or overwrite of the schema changes it again where it is read; do that in the handler',
      }
    );
  }
  const [found = { path: '', message: '' }] = valueIssues(arrived.error);
  return isLeftOut(data, arrived.error.issues[0]?.path ?? [])
    ? {
        path: found.path,
        message:
          'JSON leaves out a member that is undefined, and the schema misses it; expected it optional()',
      }
    : { path: found.path, message: `its schema refuses it where it is read: ${found.message}` };
}

/** Whether there is an undefined member at a path. */
function isLeftOut(data: unknown, path: readonly PropertyKey[]): boolean {
  let within = data;
  for (const name of path.slice(0, -1)) within = (within as Record<PropertyKey, unknown> | undefined)?.[name];
  const name = path.at(-1);
  return (
    typeof within === 'object' &&
    within !== null &&
    name !== undefined &&
    Object.hasOwn(within, name) &&
    (within as Record<PropertyKey, unknown>)[name] === undefined
  );
}
