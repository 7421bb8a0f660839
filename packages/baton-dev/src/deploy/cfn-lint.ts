import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** The version of cfn-lint, which PyPI has: it knows what AWS refuses in a template. */
export const CFN_LINT_VERSION = '1.58.0';
/** "DependsOn that Ref or GetAtt says already", which is how Serverless writes its templates. */
const IGNORED = 'W3005';

/** How linting ended: with templates that are clean or not, or not at all, and why. */
export type Linted =
  | { readonly kind: 'clean' }
  | { readonly kind: 'errors'; readonly text: string }
  | { readonly kind: 'skipped'; readonly why: string };

/**
 * Has cfn-lint look at templates. It is installed into a folder of its own the first time, which takes some 10 s and
 * needs Python 3 and PyPI.
 *
 * @param cache - the folder that it may be installed in
 */
export function lintTemplates(files: readonly string[], cache: string): Linted {
  const home = join(cache, `cfn-lint-${CFN_LINT_VERSION}`);
  const program = join(home, process.platform === 'win32' ? 'Scripts/cfn-lint.exe' : 'bin/cfn-lint');
  const why = existsSync(program) ? undefined : install(home);
  if (why !== undefined) {
    rmSync(home, { recursive: true, force: true });
    return { kind: 'skipped', why };
  }
  const { status, stdout, stderr } = spawnSync(program, ['-i', IGNORED, '--', ...files], {
    encoding: 'utf8',
  });
  return status === 0 ? { kind: 'clean' } : { kind: 'errors', text: `${stdout}${stderr}` };
}

/** Installs cfn-lint. Gives why that was not possible, where it was not. */
function install(home: string): string | undefined {
  mkdirSync(home, { recursive: true });
  const python = ['python3', 'python'].find((name) => spawnSync(name, ['--version']).status === 0);
  if (python === undefined) return 'there is no Python 3';
  const venv = spawnSync(python, ['-m', 'venv', home], { encoding: 'utf8' });
  if (venv.status !== 0) return `Python makes no venv: ${lastLine(venv.stderr || venv.stdout)}`;
  const inVenv = join(home, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
  const pip = [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--disable-pip-version-check',
    `cfn-lint==${CFN_LINT_VERSION}`,
  ];
  const installed = spawnSync(inVenv, pip, { encoding: 'utf8' });
  return installed.status === 0 ? undefined : `pip installs no cfn-lint: ${lastLine(installed.stderr)}`;
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
