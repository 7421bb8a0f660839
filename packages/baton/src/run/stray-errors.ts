import { type Logger, logFatal } from '../telemetry/logger.ts';
import { StrayError } from '../task/errors.ts';
import { keepHandlersFromEndingProcess } from './process-end.ts';
import { currentAttempt, type RunningAttempt } from './running-attempt.ts';

/** How an error reached the process: a promise that nobody handled, or a throw that nothing caught. */
export type StrayOrigin = 'unhandledRejection' | 'uncaughtException';

/** What a process does with errors that nothing caught. */
export interface StrayErrorsOptions {
  readonly logger: Logger;
  /**
   * Called with an error that belongs to no attempt. Default: the listeners that the process had before get it; without
   * any, the process writes its last words and ends with code 1.
   */
  readonly onUnknown?: ((error: unknown, origin: StrayOrigin) => void) | undefined;
}

const ORIGINS: readonly StrayOrigin[] = ['unhandledRejection', 'uncaughtException'];

type Listener = (error: unknown, ...rest: unknown[]) => void;

const watching = new Set<StrayErrorsOptions>();
/** The listeners that were there before, which get no error that an attempt has caused. */
const replaced = new Map<StrayOrigin, readonly Listener[]>();
const own = new Map<StrayOrigin, Listener>(
  ORIGINS.map((origin) => [origin, (error, ...rest) => handle(origin, error, rest)]),
);

/**
 * Handles errors that nothing caught, from now on: an error from a running attempt fails that attempt, one from an
 * attempt that has ended is logged, and the process goes on. Anything else is for `onUnknown`.
 *
 * @returns stops it
 */
export function watchStrayErrors(options: StrayErrorsOptions): () => void {
  if (watching.size === 0) replaceListeners();
  watching.add(options);
  return () => {
    if (watching.delete(options) && watching.size === 0) restoreListeners();
  };
}

let inFunctions = false;

/**
 * The same for a process that runs functions, until it ends, and keeps handlers from ending it. Whatever no attempt has
 * caused is for the runtime that the functions run in.
 */
export function watchFunctions(logger: Logger): void {
  if (inFunctions) return;
  inFunctions = true;
  watchStrayErrors({ logger });
  keepHandlersFromEndingProcess();
}

function handle(origin: StrayOrigin, error: unknown, rest: readonly unknown[]): void {
  const attempt = currentAttempt();
  const [first] = watching;
  if (attempt && first) return blame(attempt, origin, error, first.logger);
  const others = replaced.get(origin) ?? [];
  for (const listener of others) listener.call(process, error, ...rest);
  const unknown = [...watching].flatMap(({ onUnknown }) => onUnknown ?? []);
  for (const onUnknown of unknown) onUnknown(error, origin);
  if (first && others.length + unknown.length === 0) {
    logFatal(first.logger, { error, origin }, 'the process ends by an error that nothing caught');
    process.exit(1);
  }
}

function blame(attempt: RunningAttempt, origin: StrayOrigin, thrown: unknown, logger: Logger): void {
  const error = new StrayError(attempt.name.task, origin, thrown);
  const open = attempt.fail(error);
  const what = open ? 'its attempt fails' : 'the outcome of its attempt was already decided';
  logger.error({ ...attempt.name, error }, `${attempt.name.task} left an error that nothing caught: ${what}`);
}

function replaceListeners(): void {
  for (const origin of ORIGINS) {
    replaced.set(origin, process.listeners(origin as 'uncaughtException') as Listener[]);
    process.removeAllListeners(origin);
    process.on(origin, own.get(origin) as never);
  }
}

function restoreListeners(): void {
  for (const origin of ORIGINS) {
    process.off(origin, own.get(origin) as never);
    for (const listener of replaced.get(origin) ?? []) process.on(origin, listener as never);
  }
  replaced.clear();
}
