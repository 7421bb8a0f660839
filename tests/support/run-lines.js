/**
 * What Jest leaves out where its output is piped: a line at once, and a plain one at the end for any reader to find. Both
 * say the seed of the embedded SQS, so that a run that failed can be repeated with the same order of messages.
 */
export default class RunLines {
  /** @param {import('@jest/reporters').AggregatedResult} results */
  onRunStart({ numTotalTestSuites }) {
    // In a terminal Jest shows what runs; elsewhere it would say nothing until the first file is through
    if (!process.stderr.isTTY)
      process.stderr.write(`Files of tests to run: ${numTotalTestSuites}, with ${character()}\n`);
  }

  /**
   * @param {unknown} _contexts
   * @param {import('@jest/reporters').AggregatedResult} results
   */
  onRunComplete(_contexts, results) {
    const { numPassedTests, numPendingTests, numTodoTests } = results;
    // A file that could not even be loaded has no failed test, and has failed all the same
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = numPendingTests + numTodoTests;
    const line = `${numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`;
    // At the exit, because Jest writes its own summary after the last reporter
    process.once('exit', () =>
      process.stdout.write(failed > 0 ? `This was with ${character()}\n${line}` : line),
    );
  }
}

function character() {
  const { SQS_SEED, SQS_HOSTILE } = process.env;
  return `SQS_SEED=${SQS_SEED}${SQS_HOSTILE ? ` SQS_HOSTILE=${SQS_HOSTILE}` : ''}`;
}
