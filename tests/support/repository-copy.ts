import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MAX_OUTPUT_BYTES = 20_000_000;
/** What git ignores. */
const LEFT_OUT: ReadonlySet<string> = new Set(['node_modules', '.git', '.serverless', '.env', 'coverage']);
const QUIETLY = ['--no-audit', '--loglevel=error'];

const call = promisify(execFile);

/** How a command has ended, and all that it wrote. */
export interface Called {
  readonly exitCode: number;
  readonly output: string;
}

/** A copy of the repository as it is at this moment, with what npm installs by the lock. */
export class RepositoryCopy {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Copies what git does not ignore, commits it to a repository of its own, and installs. */
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
    if (failed) throw new Error(`The repository could not be copied:\n${failed.output}`);
    return copy;
  }

  /** Commits all that has changed. */
  async commit(): Promise<Called> {
    await this.run('git', 'add', '--all');
    const author = ['-c', 'user.name=t', '-c', 'user.email=t@example.com'];
    return this.run('git', ...author, 'commit', '--quiet', '-mx');
  }

  /** Runs a command in it, with its own tools first on PATH. */
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

  /** Starts a program of npm in it, such as `start`, in a group of processes of its own. */
  start(script: string, environment: Readonly<Record<string, string>>): ChildProcess {
    const env = { ...this.#environment(), ...environment };
    return spawn('npm', ['run', script], { cwd: this.path, env, detached: true, stdio: 'ignore' });
  }

  /** The text of a file. */
  textOf(path: string): Promise<string> {
    return readFile(join(this.path, path), 'utf8');
  }

  /** What has changed since it was made, as `git status` has it: `?? functions/payments-service/`. */
  async changes(): Promise<string[]> {
    const { output } = await this.run('git', 'status', '--porcelain');
    return output.split('\n').filter((line) => line !== '');
  }

  /** Deletes it. */
  async remove(): Promise<void> {
    // What a command started may still write its cache as it ends
    await rm(this.path, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }

  #environment(): NodeJS.ProcessEnv {
    const path = [join(this.path, 'node_modules/.bin'), process.env['PATH']].join(delimiter);
    const { HOME, DOCKER_HOST } = process.env;
    return { PATH: path, HOME, ...(DOCKER_HOST !== undefined && { DOCKER_HOST }) };
  }
}

/** Ends a program that `RepositoryCopy.start` has started, with all that it has started itself. */
export async function endGroup(program: ChildProcess): Promise<void> {
  if (program.pid === undefined || program.exitCode !== null || program.signalCode !== null) return;
  const ended = once(program, 'exit');
  process.kill(-program.pid, 'SIGTERM');
  await ended;
}
