// Keeps handlers from ending their process.
import { syncBuiltinESMExports } from 'node:module';
import { isMainThread } from 'node:worker_threads';
import { ProcessEndError } from '../task/errors.ts';
import { currentAttempt } from './running-attempt.ts';

type AnyFunction = (...args: unknown[]) => unknown;

/** `process.exit` calls `reallyExit`. Replacing that too catches an `exit` that a module kept from before. */
const NAMES = ['exit', 'reallyExit', 'abort', 'kill'] as const;
const functions = process as unknown as Record<(typeof NAMES)[number], AnyFunction> & { _exiting?: boolean };
const originals = new Map<(typeof NAMES)[number], AnyFunction>();
let users = 0;

/**
 * Keeps handlers from ending the process. If a handler calls `process.exit` or `process.abort`, or sends its own process a
 * signal, the call throws a ProcessEndError and the attempt fails. Calls of other code work as usual, except in a worker
 * thread: there an exit throws too, because it would end the running handler.
 *
 * @returns a function that undoes this, for this process or this thread
 */
export function keepHandlersFromEndingProcess(): () => void {
  users += 1;
  if (users === 1) for (const name of NAMES) replace(name);
  syncBuiltinESMExports();
  let stopped = false;
  return () => {
    if (stopped) return;
    stopped = true;
    users -= 1;
    if (users === 0) for (const [name, original] of originals) functions[name] = original;
    syncBuiltinESMExports();
  };
}

function replace(name: (typeof NAMES)[number]): void {
  const original = functions[name];
  originals.set(name, original);
  functions[name] = (...args) => {
    const attempt = currentAttempt();
    const isRefused = attempt ? endsThisProcess(name, args) : !isMainThread && name !== 'kill';
    if (!isRefused) return Reflect.apply(original, process, args);
    // `exit` has set these before. Node handles no promise rejection while a process is exiting
    if (name === 'reallyExit') Object.assign(process, { _exiting: false, exitCode: undefined });
    const call = `process.${name}(${args.map(String).join(', ')})`;
    if (!attempt) throw new Error(`Code outside of tasks called ${call} in a thread that runs tasks`);
    const error = new ProcessEndError(attempt.name.task, call);
    attempt.fail(error);
    throw error;
  };
}

/** Whether a call ends this process. The id 0 is its process group, -1 every process. Signal 0 only asks whether a process exists. */
function endsThisProcess(name: (typeof NAMES)[number], [pid, signal]: readonly unknown[]): boolean {
  if (name !== 'kill') return true;
  return signal !== 0 && [process.pid, -process.pid, 0, -1].includes(Number(pid));
}
