// Errors as plain data, and back: how they cross between threads.
import { readThrown, type Thrown } from '../telemetry/thrown.ts';
import * as taskErrors from './errors.ts';
import { InvalidValueError } from './invalid-value.ts';

type ErrorClass = abstract new (...parts: never[]) => Error;

/** The classes that an error keeps: the public ones of this library, which outcomes depend on, and JavaScript's. */
const CLASSES: ReadonlyMap<object, string> = new Map(
  [...Object.values(taskErrors), InvalidValueError, TypeError, RangeError, SyntaxError, ReferenceError].map(
    ({ prototype, name }: ErrorClass) => [prototype as object, name],
  ),
);
const PROTOTYPES: ReadonlyMap<string, object> = new Map(
  [...CLASSES].map(([prototype, name]) => [name, prototype]),
);
/** The prototype chain of a Proxy may be endless. */
const MAX_PROTOTYPES = 20;

/** A thrown value as plain data. `fromPlain` makes an error of the same class of it. */
export interface PlainError extends Thrown {
  /** The name of its nearest class that errors keep; undefined for `Error`. */
  readonly type: string | undefined;
}

/**
 * Makes plain data of a thrown value. Never throws. Threads exchange errors in this form, because the structured clone of
 * an error keeps only JavaScript's own classes and fails if a property cannot be cloned.
 */
export function toPlain(thrown: unknown): PlainError {
  return { type: typeOf(thrown), ...readThrown(thrown) };
}

/** Makes an error of plain data, with the class, name, message, stack, cause and properties of the thrown value. */
export function fromPlain(plain: PlainError): Error {
  const prototype = PROTOTYPES.get(plain.type ?? '');
  const error = errorOf(plain);
  return prototype ? (Object.setPrototypeOf(error, prototype) as Error) : error;
}

/**
 * Makes a safe error of any thrown value, for logging, storing and settling: name, message and stack are strings of limited
 * length, and no member throws. Keeps the class if an outcome depends on it.
 */
export function asError(thrown: unknown): Error {
  return fromPlain(toPlain(thrown));
}

function errorOf({ name, message, stack, cause, errors, properties }: Thrown): Error {
  const error = new Error(message, cause && { cause: errorOf(cause) });
  const hidden = {
    name,
    stack: stack ?? `${name}: ${message}`,
    ...(errors && { errors: errors.map(errorOf) }),
  };
  for (const [key, value] of Object.entries(hidden))
    Object.defineProperty(error, key, { value, writable: true, configurable: true });
  return Object.assign(error, properties);
}

function typeOf(thrown: unknown): string | undefined {
  try {
    let prototype: unknown = Object.getPrototypeOf(thrown);
    for (let depth = 0; typeof prototype === 'object' && prototype && depth < MAX_PROTOTYPES; depth += 1) {
      const name = CLASSES.get(prototype);
      if (name !== undefined) return name;
      prototype = Object.getPrototypeOf(prototype);
    }
  } catch {
    // A Proxy may throw, and `undefined` has no prototype
  }
  return undefined;
}
