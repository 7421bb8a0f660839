/** Ends a run with one plain line that any reader of its output can find. */
export default class ClosingLine {
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
    process.once('exit', () => process.stdout.write(line));
  }
}
