import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Repository } from 'baton-dev/sources/repository';
import { ROOT } from 'baton-dev/stack/root';

/** Time limit of a command. */
const LONGEST_RUN_MS = 180_000;
const MAX_OUTPUT_BYTES = 20_000_000;
const LIBRARY = 'baton-tasks';
const SOURCES = 'packages/baton';
const call = promisify(execFile);

interface Locked {
  readonly version?: string;
  readonly link?: boolean;
  readonly resolved?: string;
}

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly workspaces?: readonly string[];
  readonly [member: string]: unknown;
}

const repository = new Repository();
/** The lock file of the repository. */
const lock = JSON.parse(repository.textOf('package-lock.json')) as {
  readonly packages: Readonly<Record<string, Locked>>;
};

/** The exit code and the output of a command. */
export interface Ended {
  readonly exitCode: number;
  readonly output: string;
}

/** A project outside the repository that has installed the packed library, like a user's project. */
export class OutsideProject {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /**
   * Creates an empty project, and installs its packages.
   *
   * @param tarball - the packed library
   * @param others - other packages, in the repository's versions
   */
  static async empty(tarball: string, others: readonly string[]): Promise<OutsideProject> {
    const project = await OutsideProject.#make();
    const versions = others.map(
      (name) => [name, lock.packages[`node_modules/${name}`]?.version ?? ''] as const,
    );
    await project.#install(tarball, { type: 'module', dependencies: Object.fromEntries(versions) });
    return project;
  }

  /**
   * Copies the repository without the library's sources, and installs the packed library instead.
   */
  static async ofRepository(tarball: string): Promise<OutsideProject> {
    const project = await OutsideProject.#make();
    for (const path of repository.files.filter((file) => !file.startsWith(`${SOURCES}/`)))
      await cp(join(ROOT, path), join(project.path, path));
    const manifest = JSON.parse(repository.textOf('package.json')) as Manifest;
    const workspaces = Object.keys(lock.packages).filter(
      (path) => path !== '' && path !== SOURCES && !path.startsWith('node_modules/'),
    );
    await project.#install(tarball, { ...manifest, workspaces });
    return project;
  }

  static async #make(): Promise<OutsideProject> {
    return new OutsideProject(await mkdtemp(join(tmpdir(), 'baton-outside-')));
  }

  async #install(
    tarball: string,
    { dependencies = {}, workspaces = [], ...manifest }: Manifest,
  ): Promise<void> {
    const whole = {
      ...manifest,
      name: 'outside',
      private: true,
      workspaces,
      dependencies: { ...dependencies, [LIBRARY]: `file:${tarball}` },
    };
    await this.write('package.json', JSON.stringify(whole));
    await this.write('package-lock.json', JSON.stringify(await lockOf(whole, tarball, workspaces)));
    const quietly = ['--offline', '--no-audit', '--no-fund', '--loglevel=error'];
    const { exitCode, output } = await this.run('npm', 'install', ...quietly);
    if (exitCode !== 0) throw new Error(`npm cannot install the packed library:\n${output}`);
  }

  /** Writes a file in the project. */
  async write(path: string, text: string): Promise<void> {
    const file = join(this.path, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }

  /** Runs a command in the project. The project's tools come first on PATH. */
  async run(command: string, ...words: readonly string[]): Promise<Ended> {
    const options = {
      cwd: this.path,
      env: this.#environment(),
      maxBuffer: MAX_OUTPUT_BYTES,
      timeout: LONGEST_RUN_MS,
    };
    return call(command, words, options)
      .then(({ stdout, stderr }) => ({ exitCode: 0, output: stdout + stderr }))
      .catch((error: { stdout?: string; stderr?: string; code?: unknown; message: string }) => {
        const { stdout = '', stderr = error.message, code } = error;
        return { exitCode: typeof code === 'number' ? code : 1, output: stdout + stderr };
      });
  }

  /** Starts a program of the project. */
  start(file: string, environment: Readonly<Record<string, string>>): ChildProcess {
    const env = { ...this.#environment(), ...environment };
    return spawn(process.execPath, [file], { cwd: this.path, env, stdio: ['ignore', 'pipe', 'pipe'] });
  }

  /** Deletes the project. */
  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }

  #environment(): NodeJS.ProcessEnv {
    const own = [join(this.path, 'node_modules/.bin'), dirname(process.execPath), process.env['PATH']];
    return { PATH: own.join(delimiter), HOME: process.env['HOME'] };
  }
}

/**
 * The lock file of a project with the repository's versions. All of them are in npm's cache, so npm asks no registry.
 * npm does not install packages that the project does not need.
 */
async function lockOf(manifest: object, tarball: string, workspaces: readonly string[]): Promise<object> {
  const { stdout } = await call('tar', ['-xzf', tarball, '-O', 'package/package.json']);
  const { version, dependencies, peerDependencies } = JSON.parse(stdout) as Record<string, unknown>;
  const installed = Object.entries(lock.packages).filter(([path, { link, resolved = '' }]) =>
    path.startsWith('node_modules/') ? !link || workspaces.includes(resolved) : workspaces.includes(path),
  );
  return {
    ...lock,
    packages: {
      '': manifest,
      ...Object.fromEntries(installed),
      [`node_modules/${LIBRARY}`]: { version, resolved: `file:${tarball}`, dependencies, peerDependencies },
    },
  };
}
