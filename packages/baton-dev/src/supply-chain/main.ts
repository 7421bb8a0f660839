// Checks what this repository is made of: `npm run supply-chain`. Ends with status 1 if a check fails.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Repository } from '../sources/repository.ts';
import { ROOT } from '../stack/root.ts';
import { print } from '../terminal/print.ts';
import { baseImageIn, checkBaseImage } from './base-image.ts';
import type { CheckResult } from './check.ts';
import { checkNode, installedNodes } from './node-build.ts';
import { checkByNpm, NPM_CHECKS } from './npm-checks.ts';
import { checkSecrets } from './secrets.ts';

const checks: (() => CheckResult | Promise<CheckResult>)[] = [
  ...installedNodes(join(ROOT, 'node_modules')).map((build) => () => checkNode(build)),
  ...Object.entries(NPM_CHECKS).map(
    ([name, args]) =>
      () =>
        checkByNpm(name, args, ROOT),
  ),
  () => checkBaseImage(baseImageIn(readFileSync(join(ROOT, 'worker/Dockerfile'), 'utf8'))),
  () => checkSecrets(new Repository().files, ROOT),
];
for (const check of checks) {
  const { name, state, detail } = await check();
  print(`${state.padEnd(7)}  ${name}: ${detail}\n`);
  if (state === 'failed') process.exitCode = 1;
}
