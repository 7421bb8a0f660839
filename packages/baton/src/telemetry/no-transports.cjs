// Takes the place of pino's `thread-stream` in bundles. A bundle has no files for threads, and nothing here needs them.

/**
 * Stands for the class of a thread that writes log lines. Lines go to standard output instead, which never blocks
 * (`log-output.ts`).
 */
module.exports = function NoTransports() {
  throw new Error(
    'A transport of pino cannot run in a bundle: expected log lines on standard output, as createLogger writes them',
  );
};
