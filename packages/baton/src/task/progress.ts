// How far a handler is.
import { InvalidValueError } from './invalid-value.ts';

/** How far a handler is, as it reports it. */
export interface Progress {
  /** From 0 to 1. */
  readonly fraction: number;
  /** A text for people. Cut to 200 characters. */
  readonly message?: string | undefined;
}

const MAX_MESSAGE_CHARACTERS = 200;

/**
 * Brings a reported progress within its limits: the fraction into 0 to 1 (0 if it is not a number), the message to 200
 * characters.
 *
 * @throws InvalidValueError if it is not an object, or its message is not a string
 */
export function cutProgress(said: Progress): Progress {
  if (typeof said !== 'object' || (said as unknown) === null)
    throw invalid('', `expected an object with a fraction, got ${said === null ? 'null' : typeof said}`);
  const { fraction, message } = said;
  if (message !== undefined && typeof message !== 'string')
    throw invalid('message', `expected a string, got ${message === null ? 'null' : typeof message}`);
  return {
    fraction: Number.isFinite(fraction) ? Math.min(1, Math.max(0, fraction)) : 0,
    ...(message !== undefined && { message: message.slice(0, MAX_MESSAGE_CHARACTERS).toWellFormed() }),
  };
}

function invalid(path: string, message: string): InvalidValueError {
  return new InvalidValueError('Invalid progress', [{ path, message }]);
}
