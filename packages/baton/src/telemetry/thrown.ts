// Anything that can be thrown, read as plain data.
import { inspect, types } from 'node:util';

/** Longer messages and stacks are cut to this length. */
const MAX_TEXT_CHARACTERS = 8000;
const MAX_NAME_CHARACTERS = 200;
/** How many errors are read: an error, its causes and the errors in it, which may form a circle. */
const MAX_ERRORS = 20;
const MAX_GATHERED = 5;
/** How many members of each object and array are read, how deep, and how many of one error in all. */
const MAX_MEMBERS = 20;
const MAX_DEPTH = 3;
const MAX_VALUES = 200;
const MAX_VALUE_CHARACTERS = 1000;
const UNREADABLE = 'a value that cannot be read';

/** Members that JavaScript itself calls. Copies leave them out. */
const BEHAVIOUR = new Set(['toJSON', 'then']);
const NONE: ReadonlySet<string> = new Set();
/** Members of an error that have a member of their own in `Thrown`. */
const ERROR_MEMBERS = new Set(['name', 'message', 'stack', 'cause', 'errors']);

/** A thrown value as plain data of limited size: safe to log, store, send and clone. */
export interface Thrown {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly cause: Thrown | undefined;
  /** The first five errors of an AggregateError. */
  readonly errors: readonly Thrown[] | undefined;
  /** Own properties that are plain data, such as `code`. */
  readonly properties: Readonly<Record<string, unknown>>;
}

/**
 * Reads a thrown value. Never throws, whatever the value is: JavaScript can throw frozen errors, Proxies, symbols and
 * `undefined`, and a getter may throw itself.
 */
export function readThrown(thrown: unknown): Thrown {
  return read(thrown, { left: MAX_ERRORS });
}

/** The reason of a failure: the message of a thrown value, or its name if it has no message. Never throws. */
export function reasonOf(thrown: unknown): string {
  const { message, name } = readThrown(thrown);
  return message || name;
}

/** Like `instanceof`, but never throws, as that may for a Proxy. */
export function isInstance<Class>(
  value: unknown,
  constructor: abstract new (...parts: never[]) => Class,
): value is Class {
  return safely(() => value instanceof constructor) ?? false;
}

function read(thrown: unknown, budget: { left: number }): Thrown {
  budget.left -= 1;
  if (!isErrorLike(thrown)) return valueOf(thrown, `Thrown: ${shown(thrown)}`);
  const stack = member(thrown, 'stack');
  return {
    name: nameOf(thrown),
    message: textOf(member(thrown, 'message')),
    stack: typeof stack === 'string' ? stack.slice(0, MAX_TEXT_CHARACTERS) : undefined,
    cause: causeOf(member(thrown, 'cause'), budget),
    errors: gathered(member(thrown, 'errors'), budget),
    properties: propertiesOf(thrown),
  };
}

/** Reads a value that is not an error, such as a string or an object without a message. */
function valueOf(value: unknown, message: string): Thrown {
  return {
    name: 'Error',
    message: message.slice(0, MAX_TEXT_CHARACTERS),
    stack: undefined,
    cause: undefined,
    errors: undefined,
    properties: isObject(value) ? propertiesOf(value) : {},
  };
}

function propertiesOf(thrown: object): Record<string, unknown> {
  return safely(() => copyOfMembers(thrown, MAX_DEPTH, { left: MAX_VALUES }, ERROR_MEMBERS)) ?? {};
}

/** Whether a value is an error of any realm, a Proxy of an error, or an object that looks like an error. */
function isErrorLike(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  return Error.isError(value) || isInstance(value, Error) || typeof member(value, 'message') === 'string';
}

function nameOf(error: object): string {
  const own = member(error, 'name');
  if (typeof own === 'string' && own !== '') return own.slice(0, MAX_NAME_CHARACTERS);
  const constructor: unknown = member(error, 'constructor');
  const name = typeof constructor === 'function' ? member(constructor, 'name') : undefined;
  return typeof name === 'string' && name !== '' ? name.slice(0, MAX_NAME_CHARACTERS) : 'Error';
}

/** A message as a string of limited length, whatever its type. Never throws. */
export function textOf(message: unknown): string {
  if (message === undefined || message === null) return '';
  return (typeof message === 'string' ? message : shown(message)).slice(0, MAX_TEXT_CHARACTERS);
}

function causeOf(cause: unknown, budget: { left: number }): Thrown | undefined {
  if (cause === undefined || cause === null || budget.left <= 0) return undefined;
  return isErrorLike(cause) ? read(cause, budget) : valueOf(cause, shown(cause));
}

function gathered(errors: unknown, budget: { left: number }): Thrown[] | undefined {
  const first = safely(() => (Array.isArray(errors) ? errors.slice(0, MAX_GATHERED) : undefined));
  return first?.filter(() => budget.left > 0).map((each: unknown) => read(each, budget));
}

/** Shows a value to a person. Calls none of the value's own functions, which may throw. */
function shown(value: unknown): string {
  if (typeof value === 'string') return value;
  const readable = (): string => {
    const copy = isObject(value) ? copyOfObject(value) : value;
    return inspect(copy, {
      customInspect: false,
      breakLength: Infinity,
      maxStringLength: MAX_TEXT_CHARACTERS,
    });
  };
  return safely(readable) ?? UNREADABLE;
}

function copyOfObject(value: object): unknown {
  const budget = { left: MAX_VALUES };
  return Array.isArray(value) ? copyOf(value, MAX_DEPTH, budget) : copyOfMembers(value, MAX_DEPTH, budget);
}

/** Copies plain data within limits. Returns `undefined` for everything else, such as the sockets that some errors carry. */
function copyOf(value: unknown, depth: number, budget: { left: number }): unknown {
  budget.left -= 1;
  if (budget.left < 0) return undefined;
  switch (typeof value) {
    case 'string':
      return value.slice(0, MAX_VALUE_CHARACTERS);
    case 'number':
    case 'boolean':
      return value;
    case 'bigint':
    case 'symbol':
      return String(value);
    case 'object':
      return value === null ? null : safely(() => copyOfNested(value, depth, budget));
    case 'function':
    case 'undefined':
      return undefined;
  }
}

function copyOfNested(value: object, depth: number, budget: { left: number }): unknown {
  if (types.isDate(value)) return new Date(Date.prototype.getTime.call(value));
  if (Error.isError(value)) return `${nameOf(value)}: ${textOf(member(value, 'message'))}`;
  if (depth === 0) return undefined;
  if (Array.isArray(value))
    return value.slice(0, MAX_MEMBERS).map((item: unknown) => copyOf(item, depth - 1, budget) ?? null);
  const prototype: unknown = Object.getPrototypeOf(value);
  // Only plain objects, of any realm
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) return undefined;
  return copyOfMembers(value, depth - 1, budget);
}

/** Copies an object without members such as `toString` and `__proto__`, which would change how the copy behaves. */
function copyOfMembers(
  value: object,
  depth: number,
  budget: { left: number },
  without = NONE,
): Record<string, unknown> {
  const names = Object.keys(value)
    .filter((name) => !without.has(name) && !(name in Object.prototype) && !BEHAVIOUR.has(name))
    .slice(0, MAX_MEMBERS);
  const members = names.map((name): [string, unknown] => [name, copyOf(member(value, name), depth, budget)]);
  return Object.fromEntries(members.filter(([, copy]) => copy !== undefined));
}

function member(value: object, name: string): unknown {
  return safely(() => (value as Record<string, unknown>)[name]);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function safely<Result>(get: () => Result): Result | undefined {
  try {
    return get();
  } catch {
    return undefined;
  }
}
