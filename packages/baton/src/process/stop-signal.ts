let asked = 0;
let listener: (() => void) | undefined;

const note = (): void => {
  asked += 1;
  listener?.();
};
process.on('SIGTERM', note).on('SIGINT', note);

/**
 * Calls `stop` at each SIGTERM and SIGINT from now on, and at once for each that came before. Signals are noted from
 * this module's first moment, so that the program which imports it first can be stopped while it starts up: a process
 * that is PID 1 of a container would not even end by a signal that nobody handles.
 */
export function onStopSignal(stop: () => void): void {
  listener = stop;
  for (let signal = 0; signal < asked; signal += 1) stop();
}
