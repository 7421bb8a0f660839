import { randomBytes } from 'node:crypto';
import { eventually } from 'baton-dev/testing/eventually';
import { docker, dockerSaid } from './docker.ts';

/** Port of every service inside its container. */
const SERVICE_PORT = 8000;

/** What a container can do without, and is to be run without: capabilities, more rights, and files to write. */
const LOCKED_DOWN = [
  '--read-only',
  '--tmpfs=/tmp',
  '--cap-drop=ALL',
  '--security-opt=no-new-privileges',
] as const;

/** What to run. */
export interface ContainerOptions {
  readonly image: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Ports inside, which get a port each at 127.0.0.1. Default: that of a service. */
  readonly ports?: readonly number[];
  /** More options of `docker run`. */
  readonly options?: readonly string[];
  /** In place of the image's own. */
  readonly command?: readonly string[];
}

/** How a container has ended. */
export interface Ended {
  readonly exitCode: number;
  readonly seconds: number;
}

/** A container of a test's own, locked down as any service's is to be. */
export class Container {
  readonly name: string;
  readonly #startedAtMs = performance.now();

  private constructor(name: string) {
    this.name = name;
  }

  /** Starts a container, and waits for nothing. */
  static async start(container: ContainerOptions): Promise<Container> {
    const { image, environment = {}, ports = [SERVICE_PORT], options = [], command = [] } = container;
    const name = `baton-img-${randomBytes(4).toString('hex')}`;
    const started = new Container(name);
    await docker(
      'run',
      '--detach',
      `--name=${name}`,
      ...LOCKED_DOWN,
      ...ports.map((port) => `--publish=127.0.0.1::${port}`),
      ...Object.entries(environment).flatMap(([variable, value]) => ['--env', `${variable}=${value}`]),
      ...options,
      image,
      ...command,
    );
    return started;
  }

  /** Where this machine reaches a port of it. */
  async url(port = SERVICE_PORT): Promise<string> {
    return `http://${await docker('port', this.name, String(port))}`;
  }

  /** All that it has written so far. */
  async output(): Promise<string> {
    const { out, err } = await dockerSaid('logs', this.name);
    return `${out}\n${err}`;
  }

  /** Its JSON log lines so far. */
  async lines(): Promise<Record<string, unknown>[]> {
    const lines = (await this.output()).split('\n').filter((line) => line.startsWith('{'));
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** Runs a program inside, and resolves to what it writes. @throws Error with what it wrote, when it fails */
  exec(...command: readonly string[]): Promise<string> {
    return docker('exec', this.name, ...command);
  }

  /** Resolves to how many seconds passed from its start until its own check found it healthy. @throws Error with its output, when that is never */
  async healthy(withinMs = 30_000): Promise<number> {
    const look = async (): Promise<boolean> => {
      const state = await this.#state('{{.State.Status}} {{.State.Health.Status}}');
      if (state.startsWith('exited')) throw new Error(`It ended:\n${await this.output()}`);
      return state === 'running healthy';
    };
    await eventually('a healthy container', look, withinMs).catch(async (cause: unknown) => {
      throw new Error(`${this.name} was never healthy:\n${await this.output()}`, { cause });
    });
    return (performance.now() - this.#startedAtMs) / 1000;
  }

  /** Resolves once it has ended by itself. */
  async ended(): Promise<Ended> {
    const exitCode = Number(await docker('wait', this.name));
    return { exitCode, seconds: (performance.now() - this.#startedAtMs) / 1000 };
  }

  /** Stops it as a deploy does: the image's signal, and 20 s later a kill. */
  async stop(): Promise<Ended> {
    const askedAtMs = performance.now();
    await docker('stop', '--time=20', this.name);
    const seconds = (performance.now() - askedAtMs) / 1000;
    return { exitCode: Number(await this.#state('{{.State.ExitCode}}')), seconds };
  }

  /** Deletes it, running or not. */
  async remove(): Promise<void> {
    await docker('rm', '--force', '--volumes', this.name);
  }

  #state(format: string): Promise<string> {
    return docker('inspect', `--format=${format}`, this.name);
  }
}
