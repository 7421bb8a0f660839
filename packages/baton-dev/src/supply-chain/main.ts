// Checks what this repository is made of: `npm run supply-chain`. Ends with status 1 if a check fails.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../stack/root.ts';
import { print } from '../terminal/print.ts';
import { baseImageIn, checkBaseImage } from './base-image.ts';
import type { CheckResult } from './check.ts';
import { filesToCheck } from './files.ts';
import { checkNode, installedNodes } from './node-build.ts';
import { checkByNpm, checkLockByNpm, NPM_CHECKS } from './npm-checks.ts';
import { checkSecrets } from './secrets.ts';

/** AWS's client of the Lambda runtime and what compiles it, which only images install. */
const LAMBDA_RUNTIME = join(ROOT, 'packages/baton-dev/lambda-runtime');

// First, because it blocks this process: the others have time limits
const secrets = checkSecrets(filesToCheck(ROOT), ROOT);
const checks: Promise<CheckResult | CheckResult[]>[] = [
  ...installedNodes(join(ROOT, 'node_modules')).map((build) => checkNode(build)),
  ...Object.entries(NPM_CHECKS).map(([name, args]) => checkByNpm(name, args, ROOT)),
  checkLockByNpm("the Lambda runtime's client", LAMBDA_RUNTIME),
  checkBaseImage(baseImageIn(readFileSync(join(ROOT, 'worker/Dockerfile'), 'utf8'))),
];
for (const { name, state, detail } of [secrets, ...(await Promise.all(checks)).flat()]) {
  print(`${state.padEnd(7)}  ${name}: ${detail}\n`);
  if (state === 'failed') process.exitCode = 1;
}
