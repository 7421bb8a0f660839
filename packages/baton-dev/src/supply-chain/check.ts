// The result of a check of what this repository is made of.

/** The result of a check. */
export interface CheckResult {
  readonly name: string;
  /** `skipped`: this machine cannot reach what the check asks. `warned`: nothing is wrong, but something is left to do. */
  readonly state: 'passed' | 'warned' | 'failed' | 'skipped';
  /** What was found, what is left to do, or why it was skipped. */
  readonly detail: string;
}
