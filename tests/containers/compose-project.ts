import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from 'baton-dev/testing/program';
import { ROOT } from 'baton-dev/stack/root';
import { docker } from './docker.ts';

const FILE = 'docker-compose.localstack.yml';
const MAX_OUTPUT_BYTES = 50_000_000;
/** Variables of published ports. */
const PORTS = variablesLike(/\$\{(\w+_PORT)/g);
/** Variables that are empty by default. */
const EMPTY = variablesLike(/\$\{(\w+):-\}/g);

const run = promisify(execFile);

/** A container of a project, as `docker inspect` describes it. */
export interface Inspected {
  readonly Id: string;
  readonly Name: string;
  readonly RestartCount: number;
  readonly State: {
    readonly Status: string;
    readonly Pid: number;
    readonly ExitCode: number;
    readonly Health?: { readonly Status: string };
  };
  readonly Config: { readonly User: string; readonly Labels: Readonly<Record<string, string>> };
  readonly HostConfig: Readonly<Record<string, unknown>>;
  readonly NetworkSettings: {
    readonly Ports: Readonly<Record<string, readonly { readonly HostIp: string }[] | null>>;
    readonly Networks: Readonly<Record<string, unknown>>;
  };
}

/** The system of docker-compose.localstack.yml as a test's own project, with its own name, images and ports. */
export class ComposeProject {
  readonly name = `baton-test-${randomBytes(3).toString('hex')}`;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #files: string;

  private constructor(variables: Readonly<Record<string, string>>, overrides: readonly string[]) {
    this.#files = [FILE, ...overrides].map((file) => `-f ${file}`).join(' ');
    // Set but empty, so that compose does not read them from .env
    const unset = {
      LOCALSTACK_IMAGE: '',
      LOG_LEVEL: '',
      ...Object.fromEntries(EMPTY.map((name) => [name, ''])),
      WORKER_CONCURRENCY: '',
    };
    const own = { COMPOSE_PROJECT_NAME: this.name, IMAGE_TAG: this.name, COMPOSE_ANSI: 'never' };
    this.#environment = { ...process.env, ...unset, ...own, ...variables };
  }

  /**
   * Creates a project without starting it.
   *
   * @param variables - variables of the compose file, beside those of its ports
   * @param overrides - files that override the compose file, relative to the repository's root
   */
  static async create(
    variables: Readonly<Record<string, string>> = {},
    overrides: readonly string[] = [],
  ): Promise<ComposeProject> {
    const ports = new Set<number>();
    while (ports.size < PORTS.length) ports.add(await freePort());
    const own = Object.fromEntries([...ports].map((port, index) => [PORTS[index], String(port)]));
    // A test is one caller, and some send more than one may
    return new ComposeProject({ RATE_LIMIT_PER_SECOND: '0', ...own, ...variables }, overrides);
  }

  /** The URL of the port in a variable, at 127.0.0.1. */
  url(variable: string): string {
    return `http://127.0.0.1:${this.#environment[variable]}`;
  }

  /** Runs a shell command with the project's variables. Resolves to its output. @throws Error with it if it fails */
  async shell(line: string): Promise<string> {
    const options = { cwd: ROOT, env: this.#environment, maxBuffer: MAX_OUTPUT_BYTES };
    try {
      return (await run('sh', ['-c', line], options)).stdout;
    } catch (cause) {
      const { stdout = '', stderr = '' } = cause as { stdout?: string; stderr?: string };
      throw new Error(`${line}\n${stdout}${stderr}`.trim(), { cause });
    }
  }

  /** Runs `docker compose` with the project's file. */
  compose(words: string): Promise<string> {
    return this.shell(this.line(words));
  }

  /** The shell command for `docker compose` with the project's file. */
  line(words: string): string {
    return `docker compose --progress quiet ${this.#files} ${words}`;
  }

  /**
   * Builds images one after the other: some engines crash on concurrent builds that share stages.
   *
   * @param line - a shell command that contains `docker compose build`
   */
  build(line: string): Promise<string> {
    return this.shell(`COMPOSE_PARALLEL_LIMIT=1 ${line}`);
  }

  /** The containers of a service, or of all services, including ended ones. */
  async containers(service = ''): Promise<Inspected[]> {
    const ids = (await this.compose(`ps --all --quiet ${service}`)).split('\n').filter((id) => id !== '');
    if (ids.length === 0) return [];
    return JSON.parse(await docker('inspect', ...ids)) as Inspected[];
  }

  /** The only container of a service. @throws Error if there is not exactly one */
  async container(service: string): Promise<Inspected> {
    const [one, ...more] = await this.containers(service);
    if (!one || more.length > 0)
      throw new Error(`${service} has ${one ? more.length + 1 : 0} containers; expected one`);
    return one;
  }

  /** The JSON lines from a service's containers, except deleted ones. */
  async lines(service: string): Promise<Record<string, unknown>[]> {
    const text = await this.compose(`logs --no-log-prefix --no-color ${service}`);
    const lines = text.split('\n').flatMap((line) => /\{.*\}$/.exec(line)?.[0] ?? []);
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** Deletes the project's containers, networks, volumes and images. */
  async remove(): Promise<void> {
    await this.compose('down --volumes --timeout 1');
    const images = await docker('image', 'ls', '--quiet', `--filter=reference=baton/*:${this.name}`);
    const ids = images.split('\n').filter((id) => id !== '');
    if (ids.length > 0) await docker('image', 'rm', '--force', ...ids);
  }
}

/** The compose service of a container. */
export function serviceOf({ Config }: Inspected): string {
  return Config.Labels['com.docker.compose.service'] ?? '';
}

/** Kills a container's first process from outside. The engine restarts it as after a crash, unlike `docker kill`. */
export function crash({ State }: Inspected): void {
  process.kill(State.Pid, 'SIGKILL');
}

/** The variables of the compose file that match a pattern. */
function variablesLike(pattern: RegExp): string[] {
  const found = readFileSync(join(ROOT, FILE), 'utf8').matchAll(pattern);
  return [...new Set([...found].map(([, name = '']) => name))];
}
