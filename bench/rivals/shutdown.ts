const LOOK_MS = 5;
const PATIENCE_MS = 8000;

/**
 * On SIGTERM, has the library stop and exits once nothing is under way any more; after 8 s in any case.
 *
 * @param stop has the library receive nothing more
 * @param underWay how many tasks run, or wait to be deleted
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
