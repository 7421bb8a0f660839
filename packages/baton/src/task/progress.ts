import { InvalidValueError } from './invalid-value.ts';

/** What a handler says of how far it is. */
export interface Progress {
  /** From 0 to 1. */
  readonly fraction: number;
  /** At most 200 characters are kept. */
  readonly message?: string | undefined;
}

const MAX_MESSAGE_CHARACTERS = 200;

/**
 * Cuts what a handler says of its progress to what is written down: a fraction outside 0 to 1 is cut to it, and 0 if it is
 * no number; a message has 200 characters at most.
 *
 * @throws InvalidValueError when it is no object, or its message is no text
 */
export function cutProgress(said: Progress): Progress {
  if (typeof said !== 'object' || (said as unknown) === null)
    throw invalid('', `expected an object with a fraction, got ${said === null ? 'null' : typeof said}`);
  const { fraction, message } = said;
  if (message !== undefined && typeof message !== 'string')
    throw invalid('message', `expected a text, got ${message === null ? 'null' : typeof message}`);
  return {
    fraction: Number.isFinite(fraction) ? Math.min(1, Math.max(0, fraction)) : 0,
    ...(message !== undefined && { message: message.slice(0, MAX_MESSAGE_CHARACTERS).toWellFormed() }),
  };
}

function invalid(path: string, message: string): InvalidValueError {
  return new InvalidValueError('The progress cannot be written down', [{ path, message }]);
}
