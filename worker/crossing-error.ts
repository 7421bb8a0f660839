import {
  InvalidValueError,
  MalformedEnvelopeError,
  PostponeTask,
  RejectTask,
  RetryTask,
  SendError,
  TaskError,
  TaskTimeoutError,
  UnknownTaskError,
} from '@baton/common/queue/errors';

/** Errors that name each other as their causes must not go on for ever. */
const MAX_CAUSES = 10;

/** The classes that are told apart where an error arrives, the special ones first. */
const CLASSES: readonly (abstract new (...parts: never[]) => Error)[] = [
  RetryTask,
  PostponeTask,
  RejectTask,
  TaskTimeoutError,
  InvalidValueError,
  UnknownTaskError,
  SendError,
  MalformedEnvelopeError,
  TaskError,
  TypeError,
  RangeError,
  SyntaxError,
  ReferenceError,
  Error,
];

/**
 * Something thrown, as plain data that can cross between threads. The structured clone of an error by itself knows only
 * JavaScript's own classes, and fails where one property cannot be cloned.
 */
export type CrossingError =
  | { readonly value: unknown }
  | {
      readonly type: string;
      readonly name: string;
      readonly message: string;
      readonly stack: string | undefined;
      readonly cause: CrossingError | undefined;
      /** Its own properties, such as `delaySeconds` and `code`, but for those that cannot be cloned. */
      readonly properties: Readonly<Record<string, unknown>>;
    };

/** Makes plain data of what was thrown; never throws. */
export function toCrossing(thrown: unknown): CrossingError {
  try {
    const crossed = crossing(thrown, MAX_CAUSES);
    // By a message or a cause that is no text
    structuredClone(crossed);
    return crossed;
  } catch (error) {
    const { message } = error as Error;
    return crossing(new Error(`What was thrown cannot leave its thread: ${message}`), 0);
  }
}

/** Makes of plain data what was thrown, of the same class where the house or JavaScript has it. */
export function fromCrossing(crossed: CrossingError): unknown {
  if ('value' in crossed) return crossed.value;
  const { type, name, message, stack, cause, properties } = crossed;
  const error = new Error(message, cause && { cause: fromCrossing(cause) });
  Object.setPrototypeOf(error, CLASSES.find((each) => each.name === type)?.prototype as Error);
  for (const [key, value] of Object.entries({ name, stack }))
    Object.defineProperty(error, key, { value, writable: true, configurable: true });
  return Object.assign(error, properties);
}

function crossing(thrown: unknown, causes: number): CrossingError {
  if (!Error.isError(thrown)) return { value: isClonable(thrown) ? thrown : String(thrown) };
  const { name, message, stack, cause } = thrown;
  return {
    type: CLASSES.find((each) => thrown instanceof each)?.name ?? 'Error',
    name,
    message,
    stack,
    cause: cause === undefined || causes === 0 ? undefined : crossing(cause, causes - 1),
    properties: Object.fromEntries(Object.entries(thrown).filter(([, value]) => isClonable(value))),
  };
}

function isClonable(value: unknown): boolean {
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}
