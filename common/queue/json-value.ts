import type { ValueIssue } from './errors.ts';

/** More levels are refused: what reads the value recurses. */
const MAX_DEPTH = 1000;

/**
 * The first place where JSON would change a value, and how; nothing where the value arrives as it is.
 *
 * An object's member that is `undefined` is left out, which is what is meant by it. -0 arrives as 0.
 */
export function jsonIssue(value: unknown): ValueIssue | undefined {
  return value === undefined ? undefined : issueAt(value, [], []);
}

/** JSON of a value that has no issue; empty of `undefined`. */
export function toJson(value: unknown): string {
  return JSON.stringify(value) ?? '';
}

/** The value of such a text. */
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
  const inside = [...within, value];
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      const found = issueAt(value[index], [...path, String(index)], inside);
      if (found) return found;
    }
    return undefined;
  }
  if (!isPlain(value)) return issue(path, `expected plain data, got a ${nameOf(value)}`);
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) continue;
    const found = issueAt(member, [...path, name], inside);
    if (found) return found;
  }
  return undefined;
}

/** An object of no class, of any realm. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function nameOf(value: object): string {
  return value.constructor.name || 'class instance';
}

function issue(path: readonly string[], message: string): ValueIssue {
  return { path: path.join('.').slice(0, 200), message };
}

/** Whether a value has a member of this name anywhere, which schemas of open objects drop without a word. */
export function hasProto(value: unknown, depth = 0): boolean {
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return false;
  if (Object.hasOwn(value, '__proto__')) return true;
  return Object.values(value).some((member) => hasProto(member, depth + 1));
}
