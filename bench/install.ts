// Installs the bench's own packages into bench/node_modules, if its lock file has changed since the last time.
import { join } from 'node:path';
import { InstallStamp } from './install-stamp.ts';
import { runInstaller } from './installer.ts';

const FOLDER = import.meta.dirname;

const stamp = new InstallStamp(join(FOLDER, 'node_modules'), join(FOLDER, 'package-lock.json'));
if (!stamp.fits) {
  process.stderr.write("Installing the bench's packages (npm ci in bench)\n");
  await runInstaller('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], FOLDER);
  stamp.write();
}
