import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { textOf } from '../support/source.ts';

const MAX_OUTPUT_BYTES = 20_000_000;
const call = promisify(execFile);

interface Lock {
  readonly packages: Readonly<Record<string, { readonly version?: string; readonly link?: boolean }>>;
}

/** What the repository has installed. */
const lock = JSON.parse(textOf('package-lock.json')) as Lock;

/** How a command has ended, and all that it wrote. */
export interface Ended {
  readonly exitCode: number;
  readonly output: string;
}

/** A project outside the repository that has installed the packed library, as a user's has. */
export class OutsideProject {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /**
   * Makes a project, and installs.
   *
   * @param tarball - the packed library
   * @param others - packages beside it, in the versions that the repository has
   */
  static async make(tarball: string, others: readonly string[]): Promise<OutsideProject> {
    const project = new OutsideProject(await mkdtemp(join(tmpdir(), 'baton-outside-')));
    const manifest = {
      name: 'outside',
      private: true,
      type: 'module',
      dependencies: {
        'baton-tasks': `file:${tarball}`,
        ...Object.fromEntries(others.map((name) => [name, lock.packages[`node_modules/${name}`]?.version])),
      },
    };
    await project.write('package.json', JSON.stringify(manifest));
    await project.write('package-lock.json', JSON.stringify(await lockOf(manifest, tarball)));
    const quietly = ['--offline', '--no-audit', '--no-fund', '--loglevel=error'];
    const { exitCode, output } = await project.run('npm', 'install', ...quietly);
    if (exitCode !== 0) throw new Error(`The packed library could not be installed:\n${output}`);
    return project;
  }

  /** Writes a file of the project. */
  async write(path: string, text: string): Promise<void> {
    const file = join(this.path, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }

  /** Runs a command in it. Its own tools are the first on PATH. */
  async run(command: string, ...words: readonly string[]): Promise<Ended> {
    const options = { cwd: this.path, env: this.#environment(), maxBuffer: MAX_OUTPUT_BYTES };
    return call(command, words, options)
      .then(({ stdout, stderr }) => ({ exitCode: 0, output: stdout + stderr }))
      .catch((error: { stdout?: string; stderr?: string; code?: unknown; message: string }) => {
        const { stdout = '', stderr = error.message, code } = error;
        return { exitCode: typeof code === 'number' ? code : 1, output: stdout + stderr };
      });
  }

  /** Starts a program of it. */
  start(file: string, environment: Readonly<Record<string, string>>): ChildProcess {
    const env = { ...this.#environment(), ...environment };
    return spawn(process.execPath, [file], { cwd: this.path, env, stdio: ['ignore', 'pipe', 'pipe'] });
  }

  /** Deletes it. */
  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }

  #environment(): NodeJS.ProcessEnv {
    const own = [join(this.path, 'node_modules/.bin'), dirname(process.execPath), process.env['PATH']];
    return { PATH: own.join(delimiter), HOME: process.env['HOME'] };
  }
}

/**
 * The lock of a project that has the repository's versions: what they are is in npm's cache, and nobody has to be asked
 * which versions there are. npm leaves out what the project does not need.
 */
async function lockOf(manifest: object, tarball: string): Promise<object> {
  const { stdout } = await call('tar', ['-xzf', tarball, '-O', 'package/package.json']);
  const { version, dependencies, peerDependencies } = JSON.parse(stdout) as Record<string, unknown>;
  const installed = Object.entries(lock.packages).filter(
    ([path, { link }]) => path.startsWith('node_modules/') && !link,
  );
  return {
    ...lock,
    packages: {
      '': manifest,
      ...Object.fromEntries(installed),
      'node_modules/baton-tasks': { version, resolved: `file:${tarball}`, dependencies, peerDependencies },
    },
  };
}
