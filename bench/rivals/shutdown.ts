const LOOK_MS = 5;
const PATIENCE_MS = 8000;

/**
 * On SIGTERM, stops the library and exits once no task is in progress, after 8 s at the latest.
 *
 * @param stop - makes the library stop receiving
 * @param underWay - returns how many tasks run or wait for their delete
 */
export function exitOnSigterm(stop: () => unknown, underWay: () => number): void {
  process.once('SIGTERM', () => {
    stop();
    setTimeout(() => process.exit(0), PATIENCE_MS);
    setInterval(() => {
      if (underWay() === 0) process.exit(0);
    }, LOOK_MS);
  });
}
