// Lints templates with cfn-lint.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** The version of cfn-lint on PyPI. It finds what AWS would refuse in a template. */
export const CFN_LINT_VERSION = '1.58.0';
/** The rule against a DependsOn that Ref or GetAtt implies already. Serverless writes its templates like that. */
const IGNORED = 'W3005';

/** The result of linting. `skipped` says why it was not possible. */
export type Linted =
  | { readonly kind: 'clean' }
  | { readonly kind: 'errors'; readonly text: string }
  | { readonly kind: 'skipped'; readonly why: string };

/**
 * Lints templates with cfn-lint. Installs it into a folder the first time, which takes about 10 s and needs Python 3 and
 * PyPI.
 *
 * @param cache - the folder for the installation
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

/** Installs cfn-lint. Returns the reason if that is not possible. */
function install(home: string): string | undefined {
  mkdirSync(home, { recursive: true });
  const python = ['python3', 'python'].find((name) => spawnSync(name, ['--version']).status === 0);
  if (python === undefined) return 'there is no Python 3';
  const venv = spawnSync(python, ['-m', 'venv', home], { encoding: 'utf8' });
  if (venv.status !== 0) return `Python cannot make a venv: ${lastLine(venv.stderr || venv.stdout)}`;
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
  return installed.status === 0 ? undefined : `pip cannot install cfn-lint: ${lastLine(installed.stderr)}`;
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
