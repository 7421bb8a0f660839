/** Where contracts are defined, from the root. */
export const CONTRACTS_FOLDER = 'common/contracts';

/** Whether a file is code or data of a test. */
export function isTest(path: string): boolean {
  return /(^|\/)tests\//.test(path);
}

/** Whether a file is of what a user deploys. */
export function isDeployed(path: string): boolean {
  return /^(functions|common|worker)\//.test(path) && !isTest(path);
}
