// Values as JSON carries them.
import { readThrown } from '../telemetry/thrown.ts';
import type { ValueIssue } from './invalid-value.ts';

/** Values with more levels are refused, because their readers recurse. */
const MAX_DEPTH = 1000;

/**
 * Returns the first place where JSON would change a value, and how; undefined if the value arrives unchanged.
 *
 * An `undefined` member of an object is no issue: JSON leaves it out. Neither is -0, which arrives as 0.
 */
export function jsonIssue(value: unknown): ValueIssue | undefined {
  if (value === undefined) return undefined;
  try {
    return issueAt(value, [], []);
  } catch (error) {
    // A getter or a Proxy may throw
    return issue([], `a member cannot be read: ${readThrown(error).message}`);
  }
}

/** The path of the first place where two JSON values differ; undefined if they are equal. */
export function differenceOf(one: unknown, other: unknown): readonly string[] | undefined {
  if (one === other) return undefined;
  if (!isObject(one) || !isObject(other) || Array.isArray(one) !== Array.isArray(other)) return [];
  for (const name of new Set([...Object.keys(one), ...Object.keys(other)])) {
    const found = differenceOf(memberOf(one, name), memberOf(other, name));
    if (found) return [name, ...found];
  }
  return undefined;
}

/** A member as JSON has it: undefined if it is missing. */
function memberOf(value: object, name: string): unknown {
  return Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** The JSON of a value without issues; an empty string for `undefined`. */
export function toJson(value: unknown): string {
  return JSON.stringify(value) ?? '';
}

/** The value of a text that `toJson` made. */
export function fromJson(json: string): unknown {
  return json === '' ? undefined : JSON.parse(json);
}

function issueAt(value: unknown, path: readonly string[], within: readonly object[]): ValueIssue | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return undefined;
    case 'number':
      return Number.isFinite(value) ? undefined : issue(path, `JSON has no ${value}`);
    case 'object':
      return value === null ? undefined : issueWithin(value, path, within);
    case 'undefined':
      return issue(path, 'JSON has no undefined in a list');
    case 'bigint':
    case 'symbol':
    case 'function':
      return issue(path, `JSON has no ${typeof value}`);
  }
}

function issueWithin(
  value: object,
  path: readonly string[],
  within: readonly object[],
): ValueIssue | undefined {
  if (within.includes(value)) return issue(path, 'the value is part of itself');
  if (within.length >= MAX_DEPTH) return issue(path.slice(0, 3), `nested more than ${MAX_DEPTH} levels deep`);
  const isList = Array.isArray(value);
  if (!(isList ? isPlainList(value) : isPlain(value)))
    return issue(path, `expected plain data, got a ${nameOf(value)}`);
  const left = leftOut(value, isList);
  if (left) return issue([...path, left.name], left.message);
  const inside = [...within, value];
  for (const name of isList ? value.keys() : Object.keys(value)) {
    const member = (value as Record<string | number, unknown>)[name];
    if (member === undefined && !isList) continue;
    const found = issueAt(member, [...path, String(name)], inside);
    if (found) return found;
  }
  return undefined;
}

/** A member of an object or list that JSON leaves out, or that changes the JSON. */
function leftOut(value: object, isList: boolean): { name: string; message: string } | undefined {
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function')
    return { name: 'toJSON', message: 'JSON has no function, and this one changes the value' };
  const names = Reflect.ownKeys(value);
  if (names.length === (isList ? (value as unknown[]).length + 1 : Object.keys(value).length))
    return undefined;
  const lost = names.find(
    (name) =>
      typeof name === 'symbol' ||
      (isList
        ? name !== 'length' && !isIndex(name, value as unknown[])
        : !Object.prototype.propertyIsEnumerable.call(value, name)),
  );
  if (lost === undefined) return undefined;
  if (typeof lost === 'symbol') return { name: String(lost), message: 'JSON has no symbol' };
  return {
    name: lost,
    message: isList ? 'JSON lists have only items' : 'JSON leaves out a hidden member',
  };
}

function isIndex(name: string, list: readonly unknown[]): boolean {
  const index = Number(name);
  return String(index) === name && Number.isInteger(index) && index >= 0 && index < list.length;
}

/** Whether an object has no class, in any realm. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Whether a list has no class of its own, in any realm. */
function isPlainList(value: unknown[]): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return Array.isArray(prototype) && isPlain(prototype);
}

function nameOf(value: object): string {
  const { constructor: made } = value as { constructor?: { name?: unknown } };
  return typeof made?.name === 'string' && made.name !== '' ? made.name : 'class instance';
}

function issue(path: readonly string[], message: string): ValueIssue {
  return { path: path.join('.').slice(0, 200), message };
}

/** Whether a value has a member `__proto__` anywhere. Schemas of open objects drop it silently. */
export function hasProto(value: unknown, depth = 0): boolean {
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return false;
  if (Object.hasOwn(value, '__proto__')) return true;
  return Object.values(value).some((member) => hasProto(member, depth + 1));
}
