// Servers written in Java, for tests.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../../stack/root.ts';
import { eventually } from '../eventually.ts';

const CACHE = join(ROOT, 'node_modules/.cache');
const COPY = 'org.apache.maven.plugins:maven-dependency-plugin:2.8:copy-dependencies';
const FETCH_MS = 300_000;
const START_MS = 60_000;

const call = promisify(execFile);

/** A server written in Java that Maven fetches, by its folder beside this file. */
export interface JavaPackage {
  readonly folder: string;
  /** The id of the artifact, whose version stands in the folder's pom.xml. */
  readonly artifact: string;
  readonly mainClass: string;
}

/** The programs that a package needs and this machine lacks. Undefined if the package can run. */
export async function missingFor({ folder }: JavaPackage): Promise<string | undefined> {
  const needs: [string, string][] = [['java', '-version']];
  if (!existsSync(join(CACHE, folder, 'fetched'))) needs.push(['mvn', '--version']);
  for (const [program, argument] of needs) {
    const found = await call(program, [argument]).catch(() => undefined);
    if (!found) return program;
  }
  return undefined;
}

/** The version of a package that is fetched. */
export function versionOf({ folder, artifact }: JavaPackage): string {
  const pom = readFileSync(join(import.meta.dirname, folder, 'pom.xml'), 'utf8');
  return new RegExp(`${artifact}</artifactId>\\s*<version>(.+)</version>`).exec(pom)?.[1] ?? '?';
}

/** Configures the start of a server. */
export interface JavaStart {
  /** The URL that it will answer at. */
  readonly endpoint: string;
  /** Options of the Java machine, by the folder that the package's files are in. */
  readonly javaOptions: (jars: string) => readonly string[];
  readonly args?: readonly string[];
}

/** A server in a process of its own. */
export class JavaServer {
  readonly endpoint: string;
  readonly #process: ChildProcess;

  private constructor(server: ChildProcess, endpoint: string) {
    this.#process = server;
    this.endpoint = endpoint;
  }

  /** Lets Maven fetch the package the first time, and starts it. Resolves once it answers. */
  static async start(own: JavaPackage, { endpoint, javaOptions, args = [] }: JavaStart): Promise<JavaServer> {
    const jars = await fetched(own);
    const all = [...javaOptions(jars), '-cp', join(jars, '*'), own.mainClass, ...args];
    // It may write into its working folder
    const server = spawn('java', all, { cwd: dirname(jars), stdio: ['ignore', 'ignore', 'inherit'] });
    // However this process ends
    process.once('exit', () => server.kill('SIGKILL'));
    const started = new JavaServer(server, endpoint);
    await eventually(`${own.artifact} answers`, () => started.#answers(), START_MS);
    return started;
  }

  /** Ends the server. Its queues and tables are lost. */
  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    // A graceful stop would wait for long polls that nobody needs
    this.#process.kill('SIGKILL');
    await once(this.#process, 'exit');
  }

  async #answers(): Promise<boolean> {
    if (this.#process.exitCode !== null) throw new Error('The server ended before it answered');
    return fetch(this.endpoint).then(
      () => true,
      () => false,
    );
  }
}

/** The folder that a package's files are in. */
async function fetched({ folder }: JavaPackage): Promise<string> {
  const jars = join(CACHE, folder, 'lib');
  const mark = join(CACHE, folder, 'fetched');
  if (existsSync(mark)) return jars;
  mkdirSync(jars, { recursive: true });
  const cwd = join(import.meta.dirname, folder);
  await call('mvn', ['-q', '-B', '-f', join(cwd, 'pom.xml'), COPY, `-DoutputDirectory=${jars}`], {
    cwd,
    timeout: FETCH_MS,
  });
  // An interrupted fetch leaves no such file, and is repeated
  writeFileSync(mark, '');
  return jars;
}
