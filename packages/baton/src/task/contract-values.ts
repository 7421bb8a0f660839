// Checks payloads and results against their contracts.
import type * as z from 'zod';
// Not from z.core, which would bundle the error texts of all languages
import { $ZodAsyncError } from 'zod/v4/core';
import { readThrown } from '../telemetry/thrown.ts';
import { reportOf } from './contract-schema.ts';
import { InvalidValueError, type ValueIssue, valueIssues } from './invalid-value.ts';
import { RejectTask } from './errors.ts';
import { differenceOf, fromJson, hasProto, jsonIssue, toJson } from './json-value.ts';
import { attempted } from './schema-checks.ts';
import type { TaskContract } from './task.ts';

/**
 * Checks a payload before it is sent. Returns it as the schema gives it.
 *
 * @throws InvalidValueError if it breaks its contract, if JSON cannot carry it, or if its schema would change it again
 */
export function sentPayload({ name, payload: schema }: TaskContract, payload: unknown): unknown {
  const data = checked(`The payload breaks the contract ${name}`, schema, payload);
  const { value, issue } = carried(schema, payload, data);
  if (issue) throw new InvalidValueError(`The payload of ${name} cannot be sent`, [issue]);
  return value;
}

/** Checks a received payload. Returns it as its handler gets it. @throws InvalidValueError if it breaks its contract */
export function receivedPayload({ name, payload: schema }: TaskContract, data: unknown): unknown {
  return checked(`The payload breaks the contract ${name}`, schema, data);
}

/**
 * Checks a handler's result. Returns it as the schema gives it.
 *
 * @throws InvalidValueError if it breaks its contract
 * @throws RejectTask if it cannot be checked, or if the task is tracked and the result cannot be kept unchanged: another
 *   attempt would return the same
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
  message: 'its schema has an asynchronous check, which cannot be awaited; check it in the handler',
};

const UNMERGABLE: ValueIssue = {
  path: '',
  message: 'the two sides of an intersection in its schema give different values',
};

/** zod throws this fault of a value as a plain error. */
function isUnmergable(error: unknown): boolean {
  return readThrown(error).message.startsWith('Unmergable intersection');
}

/** Returns a value as JSON carries it, or why it would not arrive unchanged. Most schemas need no check. */
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
    ? { path: '__proto__', message: 'a member with this name is dropped; expected another name' }
    : undefined;
}

/** Why a value would be refused or changed by the second check, where it is received. */
function arrivalIssue(schema: z.ZodType, data: unknown, json: string): ValueIssue | undefined {
  // A check may change the value that it gets, so it gets a copy
  const arrived = attempted(() => schema.safeParse(fromJson(json)))?.result;
  if (!arrived) return { path: '', message: 'its schema throws where the value is received' };
  if (arrived.success) {
    const place = differenceOf(fromJson(json), arrived.data);
    return (
      place && {
        path: place.join('.').slice(0, 200),
        message:
          'a check or overwrite of the schema changes it again where it is received; change it in the handler',
      }
    );
  }
  const [found = { path: '', message: '' }] = valueIssues(arrived.error);
  return isLeftOut(data, arrived.error.issues[0]?.path ?? [])
    ? {
        path: found.path,
        message:
          'JSON leaves out a member that is undefined, and the schema requires it; expected optional()',
      }
    : { path: found.path, message: `its schema refuses it where it is received: ${found.message}` };
}

/** Whether the member at a path is undefined. */
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
