// The check before a deploy, `npm run package`: compiles every form of the stack, checks the sizes of the bundles, and lints
// the templates with cfn-lint. Needs no account and no credentials.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { readParts } from '../stack/part.ts';
import { ROOT } from '../stack/root.ts';
import { print, printError } from '../terminal/print.ts';
import { lintTemplates } from './cfn-lint.ts';
import { FORMS, localParams, secretParams } from './forms.ts';

const CACHE = join(ROOT, 'node_modules/.cache');
const SERVERLESS = join(ROOT, 'node_modules/serverless/bin/serverless.js');
const TEMPLATE = 'cloudformation-template-update-stack.json';

const parts = readParts('dev');
const given = [...localParams(parts), ...secretParams(parts)];
const templates = FORMS.map(({ name, args }, index) => {
  const folder = join(CACHE, 'package', name.replaceAll(' ', '-'));
  print(`${name}: serverless package ${args.join(' ')}\n`);
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [SERVERLESS, 'package', '--package', folder, ...args, ...given],
    { cwd: ROOT, encoding: 'utf8' },
  );
  if (status !== 0) fail(`The form ${name} could not be packaged:\n${stdout}${stderr}`);
  // The bundles of the other forms are the same
  if (index === 0) print(`${tableIn(stderr)}\n`);
  return join(folder, TEMPLATE);
});

const linted = lintTemplates(templates, CACHE);
if (linted.kind === 'errors') fail(`cfn-lint:\n${linted.text}`);
if (linted.kind === 'clean') print(`cfn-lint: ${templates.length} templates, no error\n`);
if (linted.kind === 'skipped') {
  const line = `cfn-lint was skipped: ${linted.why}`;
  if (process.env['CI']) fail(line);
  print(`${line}\n`);
}

/** The table of sizes in Serverless's output. */
function tableIn(text: string): string {
  return text
    .split('\n')
    .filter((line) => /^[┌│├└]/.test(line))
    .join('\n');
}

function fail(why: string): never {
  printError(`${why}\n`);
  process.exit(1);
}
