import type { z } from 'zod';
import { reportOf } from './contract-schema.ts';
import { InvalidValueError, RejectTask, type ValueIssue } from './errors.ts';
import { hasProto, jsonIssue, toJson } from './json-value.ts';
import type { TaskContract } from './task.ts';
import { valueIssues } from './value-issues.ts';

/**
 * A payload as it is sent.
 *
 * @throws InvalidValueError when it breaks its contract, or JSON cannot carry it
 */
export function sentPayload({ name, payload: schema }: TaskContract, payload: unknown): unknown {
  const data = checked(`The payload breaks the contract ${name}`, schema, payload);
  const issue = uncarriedIssue(schema, payload, data);
  if (issue) throw new InvalidValueError(`The payload of ${name} cannot be sent`, [issue]);
  return data;
}

/** A payload as its handler gets it. @throws InvalidValueError when it breaks its contract */
export function receivedPayload({ name, payload: schema }: TaskContract, data: unknown): unknown {
  return checked(`The payload breaks the contract ${name}`, schema, data);
}

/**
 * A handler's result.
 *
 * @throws InvalidValueError when it breaks its contract
 * @throws RejectTask when JSON cannot carry it and the task is tracked: running it again would give the same
 */
export function checkedResult({ name, result: schema, tracked }: TaskContract, result: unknown): unknown {
  const data = checked(`The result of ${name} breaks its contract`, schema, result);
  const issue = tracked && uncarriedIssue(schema, result, data);
  if (!issue) return data;
  const { message } = new InvalidValueError(`The result of ${name} cannot be kept`, [issue]);
  throw new RejectTask(message);
}

function checked(what: string, schema: z.ZodType, value: unknown): unknown {
  let parsed;
  try {
    parsed = schema.safeParse(value);
  } catch (cause) {
    if (cause instanceof RangeError) throw new InvalidValueError(what, [TOO_DEEP]);
    throw cause;
  }
  if (parsed.success) return parsed.data;
  throw new InvalidValueError(what, valueIssues(parsed.error));
}

const TOO_DEEP: ValueIssue = { path: '', message: 'nested too deeply' };

/** Most schemas give nothing but what JSON carries; then there is nothing to look at. */
function uncarriedIssue(schema: z.ZodType, given: unknown, data: unknown): ValueIssue | undefined {
  if (reportOf(schema).isExact) return undefined;
  return jsonIssue(data) ?? protoIssue(given, data) ?? lostIssue(schema, data);
}

function protoIssue(given: unknown, data: unknown): ValueIssue | undefined {
  const isDropped = hasProto(given) && !hasProto(data);
  return isDropped
    ? { path: '__proto__', message: 'a member of this name is dropped; expected another name' }
    : undefined;
}

/** What is undefined is left out on its way, and the schema may miss it where it is read. */
function lostIssue(schema: z.ZodType, data: unknown): ValueIssue | undefined {
  const json = toJson(data);
  const arrived = schema.safeParse(json === '' ? undefined : JSON.parse(json));
  return arrived.success ? undefined : valueIssues(arrived.error)[0];
}
