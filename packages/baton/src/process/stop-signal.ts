// Counts SIGTERM and SIGINT from the moment that this module is imported.
let signals = 0;
let listener: (() => void) | undefined;

const onSignal = (): void => {
  signals += 1;
  listener?.();
};
process.on('SIGTERM', onSignal).on('SIGINT', onSignal);

/**
 * Calls `stop` at each SIGTERM and SIGINT from now on, and at once for each signal that came before. Import this module
 * first, so that the program can be stopped while it starts: PID 1 of a container ignores signals without a listener.
 */
export function onStopSignal(stop: () => void): void {
  listener = stop;
  for (let signal = 0; signal < signals; signal += 1) stop();
}
