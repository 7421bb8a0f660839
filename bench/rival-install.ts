import { existsSync } from 'node:fs';
import { InstallStamp } from './install-stamp.ts';
import { runInstaller } from './installer.ts';
import type { Absence } from './results.ts';
import { type Rival, RIVALS_FOLDER, VENV_PYTHON } from './rival-set.ts';

const LOCK = `${RIVALS_FOLDER}package-lock.json`;
const REQUIREMENTS = `${RIVALS_FOLDER}celery/requirements.txt`;
const VENV = `${RIVALS_FOLDER}.venv`;

/** The rivals that are installed, and those that cannot be. */
export interface InstalledRivals {
  readonly present: readonly Rival[];
  readonly absent: readonly Absence[];
}

/**
 * Installs the packages of rivals, unless they are installed from the current lock file. A failed installation is an
 * absence with its reason, never an error.
 *
 * @param say - called with the name of each installation
 */
export async function installRivals(
  rivals: readonly Rival[],
  say: (text: string) => void,
): Promise<InstalledRivals> {
  const reasons = new Map<Rival['needs'], string>();
  for (const needs of new Set(rivals.map((rival) => rival.needs))) {
    const reason = await reasonAgainst(INSTALL[needs], say);
    if (reason !== undefined) reasons.set(needs, reason);
  }
  return {
    present: rivals.filter(({ needs }) => !reasons.has(needs)),
    absent: rivals.flatMap(({ name, needs }) => {
      const reason = reasons.get(needs);
      return reason === undefined ? [] : [{ contender: name, reason }];
    }),
  };
}

/** Why an installation failed; undefined if it succeeded, now or before. */
async function reasonAgainst(
  install: (say: (text: string) => void) => Promise<void>,
  say: (text: string) => void,
): Promise<string | undefined> {
  try {
    await install(say);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const INSTALL = { npm: installPackages, pip: installCelery } as const;

async function installPackages(say: (text: string) => void): Promise<void> {
  const stamp = new InstallStamp(`${RIVALS_FOLDER}node_modules`, LOCK);
  if (stamp.fits) return;
  say('Installing the rivals (npm ci in bench/rivals)');
  await runInstaller('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], RIVALS_FOLDER);
  stamp.write();
}

async function installCelery(say: (text: string) => void): Promise<void> {
  const stamp = new InstallStamp(VENV, REQUIREMENTS);
  // Somebody may have removed the Python that the environment was made with
  if (stamp.fits && existsSync(VENV_PYTHON)) return;
  say('Installing Celery (pip install in bench/rivals/.venv)');
  await runInstaller('python3', ['-m', 'venv', '--clear', VENV], RIVALS_FOLDER);
  const quietly = ['--quiet', '--disable-pip-version-check'];
  await runInstaller(VENV_PYTHON, ['-m', 'pip', 'install', ...quietly, '-r', REQUIREMENTS], RIVALS_FOLDER);
  stamp.write();
}
