import { readThrown, type Thrown } from '../telemetry/thrown.ts';
import * as taskErrors from './errors.ts';
import { InvalidValueError } from './invalid-value.ts';

type ErrorClass = abstract new (...parts: never[]) => Error;

/** The classes that an error keeps: this library's own, by which outcomes are decided, and JavaScript's. */
const CLASSES: ReadonlyMap<object, string> = new Map(
  [...Object.values(taskErrors), InvalidValueError, TypeError, RangeError, SyntaxError, ReferenceError].map(
    ({ prototype, name }: ErrorClass) => [prototype as object, name],
  ),
);
const PROTOTYPES: ReadonlyMap<string, object> = new Map(
  [...CLASSES].map(([prototype, name]) => [name, prototype]),
);
/** A chain of prototypes that is a Proxy's may go on for ever. */
const MAX_PROTOTYPES = 20;

/** Something thrown, as plain data from which `fromPlain` makes an error of the same class. */
export interface PlainError extends Thrown {
  /** The nearest of its classes that this library or JavaScript has; none where it is `Error`. */
  readonly type: string | undefined;
}

/**
 * Makes plain data of what was thrown; never throws. What crosses between threads is this: the structured clone of an
 * error knows only JavaScript's own classes, and fails where one property cannot be cloned.
 */
export function toPlain(thrown: unknown): PlainError {
  return { type: typeOf(thrown), ...readThrown(thrown) };
}

/** Makes an error of plain data: its class, name, message, stack, cause and properties are those of what was thrown. */
export function fromPlain(plain: PlainError): Error {
  const prototype = PROTOTYPES.get(plain.type ?? '');
  const error = errorOf(plain);
  return prototype ? (Object.setPrototypeOf(error, prototype) as Error) : error;
}

/**
 * Makes an error of anything that was thrown, which can be logged, stored and settled without a care: its name, message
 * and stack are texts of limited length, and nothing in it throws. It keeps the class where that decides an outcome.
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
    // A Proxy's, or of `undefined`
  }
  return undefined;
}
