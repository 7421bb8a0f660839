// The result of a check of what this repository is made of.

/** The result of a check. */
export interface CheckResult {
  readonly name: string;
  /** `skipped`: this machine cannot reach what the check asks. */
  readonly state: 'passed' | 'failed' | 'skipped';
  /** What was found, or why it was skipped. */
  readonly detail: string;
}
