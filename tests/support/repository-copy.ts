import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from 'baton-dev/stack/root';

const MAX_OUTPUT_BYTES = 20_000_000;
/** Names that git ignores. */
const LEFT_OUT: ReadonlySet<string> = new Set(['node_modules', '.git', '.serverless', '.env', 'coverage']);
const QUIETLY = ['--no-audit', '--loglevel=error'];

const call = promisify(execFile);

/** The exit code and the output of a command. */
export interface Called {
  readonly exitCode: number;
  readonly output: string;
}

/** A copy of the repository's working tree, with the packages of its lock file installed. */
export class RepositoryCopy {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Copies all files that git does not ignore, commits them to a new repository, and installs. */
  static async make(): Promise<RepositoryCopy> {
    const copy = new RepositoryCopy(await mkdtemp(join(tmpdir(), 'baton-copy-')));
    const filter = (from: string): boolean => !LEFT_OUT.has(basename(from));
    await cp(ROOT, copy.path, { recursive: true, filter });
    const done = [
      await copy.run('git', 'init', '--quiet'),
      await copy.commit(),
      await copy.run('npm', 'ci', '--prefer-offline', ...QUIETLY),
    ];
    const failed = done.find(({ exitCode }) => exitCode !== 0);
    if (failed) throw new Error(`cannot copy the repository:\n${failed.output}`);
    return copy;
  }

  /** Commits all changes. */
  async commit(): Promise<Called> {
    await this.run('git', 'add', '--all');
    const author = ['-c', 'user.name=t', '-c', 'user.email=t@example.com'];
    return this.run('git', ...author, 'commit', '--quiet', '-mx');
  }

  /** Runs a command in the copy. The copy's tools come first on PATH. */
  async run(command: string, ...words: readonly string[]): Promise<Called> {
    const options = { cwd: this.path, env: this.#environment(), maxBuffer: MAX_OUTPUT_BYTES };
    const { stdout, stderr, exitCode } = await call(command, words, options)
      .then((ended) => ({ ...ended, exitCode: 0 }))
      .catch((error: { stdout?: string; stderr?: string; code?: unknown; message: string }) => {
        const { stdout: out = '', stderr: said = error.message, code } = error;
        return { stdout: out, stderr: said, exitCode: typeof code === 'number' ? code : 1 };
      });
    return { exitCode, output: stdout + stderr };
  }

  /** Starts an npm script of the copy, such as `start`, in its own process group. */
  start(script: string, environment: Readonly<Record<string, string>>): ChildProcess {
    const env = { ...this.#environment(), ...environment };
    return spawn('npm', ['run', script], { cwd: this.path, env, detached: true, stdio: 'ignore' });
  }

  /** Reads a file. */
  textOf(path: string): Promise<string> {
    return readFile(join(this.path, path), 'utf8');
  }

  /** The uncommitted changes in the format of `git status`: `?? functions/payments-service/`. */
  async changes(): Promise<string[]> {
    const { output } = await this.run('git', 'status', '--porcelain');
    return output.split('\n').filter((line) => line !== '');
  }

  /** Deletes the copy. */
  async remove(): Promise<void> {
    // Child processes of a command may still write their caches
    await rm(this.path, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }

  #environment(): NodeJS.ProcessEnv {
    const path = [join(this.path, 'node_modules/.bin'), process.env['PATH']].join(delimiter);
    const { HOME, DOCKER_HOST } = process.env;
    return { PATH: path, HOME, ...(DOCKER_HOST !== undefined && { DOCKER_HOST }) };
  }
}

/** Ends a program from `RepositoryCopy.start`, with its child processes. */
export async function endGroup(program: ChildProcess): Promise<void> {
  if (program.pid === undefined || program.exitCode !== null || program.signalCode !== null) return;
  const ended = once(program, 'exit');
  process.kill(-program.pid, 'SIGTERM');
  await ended;
}
