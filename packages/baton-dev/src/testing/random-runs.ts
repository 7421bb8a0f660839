// How many random inputs tests try.

/**
 * How many random inputs a test tries: a third of `all`, because `npm test` has to be short. All of them if RANDOM_RUNS is
 * `all`, as `npm run test:hostile` sets it.
 */
export function randomRuns(all: number): number {
  return process.env['RANDOM_RUNS'] === 'all' ? all : Math.ceil(all / 3);
}
