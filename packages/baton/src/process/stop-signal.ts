// Notes SIGTERM and SIGINT from the moment that this module is imported.
let asked = 0;
let listener: (() => void) | undefined;

const note = (): void => {
  asked += 1;
  listener?.();
};
process.on('SIGTERM', note).on('SIGINT', note);

/**
 * Calls `stop` at each SIGTERM and SIGINT from now on, and at once for each signal that came before. Import this module
 * first, so that the program can be stopped while it starts: PID 1 of a container ignores signals that nobody handles.
 */
export function onStopSignal(stop: () => void): void {
  listener = stop;
  for (let signal = 0; signal < asked; signal += 1) stop();
}
