/**
 * A Jest reporter with a line at the start, if the output is piped, and a plain line of results at the end. Both have
 * the seed of the embedded SQS, so that a failed run can be repeated with the same order of messages.
 */
export default class RunLines {
  /** @param {import('@jest/reporters').AggregatedResult} results */
  onRunStart({ numTotalTestSuites }) {
    // On a terminal Jest shows its progress. Otherwise it prints nothing until the first file is finished
    if (!process.stderr.isTTY)
      process.stderr.write(`Files of tests to run: ${numTotalTestSuites}, with ${character()}\n`);
  }

  /**
   * @param {unknown} _contexts
   * @param {import('@jest/reporters').AggregatedResult} results
   */
  onRunComplete(_contexts, results) {
    const { numPassedTests, numPendingTests, numTodoTests } = results;
    // A file that cannot be loaded counts as failed, although it has no failed tests
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = numPendingTests + numTodoTests;
    const line = `${numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`;
    // On exit, because Jest prints its own summary after the last reporter
    process.once('exit', () =>
      process.stdout.write(failed > 0 ? `Repeat it with ${character()}\n${line}` : line),
    );
  }
}

function character() {
  const { SQS_SEED, SQS_HOSTILE } = process.env;
  return `SQS_SEED=${SQS_SEED}${SQS_HOSTILE ? ` SQS_HOSTILE=${SQS_HOSTILE}` : ''}`;
}
