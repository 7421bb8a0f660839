// Handles uncaught errors: finds the attempts that caused them.
import { type Logger, logFatal } from '../telemetry/logger.ts';
import { StrayError } from '../task/errors.ts';
import { keepHandlersFromEndingProcess } from './process-end.ts';
import { currentAttempt, type RunningAttempt } from './running-attempt.ts';

/** How an uncaught error reached the process: as a rejected promise without a handler, or as a throw. */
export type StrayOrigin = 'unhandledRejection' | 'uncaughtException';

/** Configures the handling of uncaught errors. */
export interface StrayErrorsOptions {
  readonly logger: Logger;
  /**
   * Called with an error that belongs to no attempt. Default: the listeners that the process had before get it. If there
   * are none, the process logs it and ends with status 1.
   */
  readonly onUnknown?: ((error: unknown, origin: StrayOrigin) => void) | undefined;
}

const ORIGINS: readonly StrayOrigin[] = ['unhandledRejection', 'uncaughtException'];

type Listener = (error: unknown, ...rest: unknown[]) => void;

const watching = new Set<StrayErrorsOptions>();
/** The listeners that the process had before. They get no error that an attempt has caused. */
const replaced = new Map<StrayOrigin, readonly Listener[]>();
const own = new Map<StrayOrigin, Listener>(
  ORIGINS.map((origin) => [origin, (error, ...rest) => handle(origin, error, rest)]),
);

/**
 * Handles uncaught errors, so that the process continues: an error of a running attempt fails that attempt, and an error
 * of an attempt that has ended is logged. `onUnknown` gets all others.
 *
 * @returns a function that undoes this
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
 * Handles uncaught errors, and keeps handlers from ending the process, in a process that runs functions, until its end.
 * The runtime of the functions gets errors that belong to no attempt. Further calls do nothing.
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
    logFatal(first.logger, { error, origin }, 'uncaught error that belongs to no task: the process ends');
    process.exit(1);
  }
}

function blame(attempt: RunningAttempt, origin: StrayOrigin, thrown: unknown, logger: Logger): void {
  const error = new StrayError(attempt.name.task, origin, thrown);
  const open = attempt.fail(error);
  const what = open ? 'its attempt fails' : 'the outcome of its attempt was already decided';
  logger.error({ ...attempt.name, error }, `uncaught error of ${attempt.name.task}: ${what}`);
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
