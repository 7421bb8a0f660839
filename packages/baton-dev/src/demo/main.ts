// Takes the demo away and leaves a repository for a product of your own: npm run demo:remove
import { spawnSync } from 'node:child_process';
import { rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { NewServiceError, readServiceName } from '../new-service/service-name.ts';
import { Repository } from '../sources/repository.ts';
import { ROOT } from '../stack/root.ts';
import { print, printError } from '../terminal/print.ts';
import { readDemo } from './demo.ts';
import { planRemoval, type Removal } from './removal.ts';
import { RemovalError } from './removal-error.ts';

const USAGE = `npm run demo:remove [-- options]: deletes the demo, and what only the demo needs
  --with NAME      makes a service in its place, as npm run new:service does: --with payments
  --singular WORD  one of them, where it is not NAME without its s: payment
  --dry-run        says what it would do, and does nothing
`;

/** Checks that git has no changes, because only git can undo the removal. */
function refuseChanges(): void {
  const { status, stdout } = spawnSync('git', ['status', '--porcelain'], { cwd: ROOT, encoding: 'utf8' });
  if (status !== 0)
    throw new RemovalError('This folder is not a git repository: expected one without changes');
  if (stdout !== '')
    throw new RemovalError(
      `There are changes that are not committed. Commit or discard them first:\n${stdout}`,
    );
}

function tell({ deleted, changed }: Removal): void {
  const folders = Map.groupBy(deleted, (path) => path.split('/').slice(0, 2).join('/'));
  const lines = [...folders].map(([folder, files]) =>
    files.length === 1 ? `  ${files[0]}` : `  ${folder}: ${files.length} files`,
  );
  print(
    `To be deleted:\n${lines.join('\n')}\nTo be changed:\n${[...changed.keys()].map((path) => `  ${path}`).join('\n')}\n`,
  );
}

async function perform({ deleted, changed }: Removal): Promise<void> {
  for (const path of deleted) await rm(join(ROOT, path));
  const folders = new Set(deleted.map((path) => dirname(path)));
  for (const folder of [...folders].toSorted((one, other) => other.length - one.length))
    await removeEmpty(folder);
  for (const [path, text] of changed) await writeFile(join(ROOT, path), text);
}

/** Removes a folder that is empty, and then the one around it. */
async function removeEmpty(folder: string): Promise<void> {
  if (folder === '.') return;
  try {
    await rmdir(join(ROOT, folder));
  } catch {
    return;
  }
  await removeEmpty(dirname(folder));
}

/** Runs npm. @throws RemovalError saying what is left to do */
function npm(words: readonly string[], leftToDo: string): void {
  const { status } = spawnSync('npm', words, {
    cwd: ROOT,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (status !== 0)
    throw new RemovalError(`The demo is removed, but "npm ${words.join(' ')}" failed: ${leftToDo}`);
}

async function run(): Promise<void> {
  const { values } = parseArgs({
    options: {
      with: { type: 'string' },
      singular: { type: 'string' },
      'dry-run': { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    print(USAGE);
    return;
  }
  const name = values.with === undefined ? undefined : readServiceName(values.with, values.singular);
  const demo = await readDemo();
  if (demo.folders.length === 0) throw new RemovalError('There is no demo: no functions.yml says demo: true');
  if (!values['dry-run']) refuseChanges();
  const removal = await planRemoval(demo, new Repository());
  tell(removal);
  if (values['dry-run']) return;
  await perform(removal);
  npm(['install', '--no-audit', '--prefer-offline', '--loglevel=error'], 'run it again');
  if (name) {
    const words = ['run', '--silent', 'new:service', '--', name.plural, '--singular', name.singular];
    npm(words, `run "npm run new:service ${name.plural}"`);
  }
  print(
    `${removal.deleted.length} files are deleted, ${removal.changed.size} are changed. Run "npm run check", then commit.\n`,
  );
}

try {
  await run();
} catch (error) {
  const isOfArguments = String((error as NodeJS.ErrnoException).code).startsWith('ERR_PARSE_ARGS');
  const isKnown = error instanceof RemovalError || error instanceof NewServiceError || isOfArguments;
  if (!isKnown) throw error;
  printError(`${(error as Error).message.trim()}\n${isOfArguments ? USAGE : ''}`);
  process.exitCode = 1;
}
