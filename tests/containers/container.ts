import { randomBytes } from 'node:crypto';
import { eventually } from 'baton-dev/testing/eventually';
import { docker, dockerSaid } from './docker.ts';

/** The port of every service inside its container. */
const SERVICE_PORT = 8000;
/** The port of health in every image. */
export const HEALTH_PORT = 9090;

/** Options that take away what no container needs: capabilities, more rights, and files to write. */
const LOCKED_DOWN = [
  '--read-only',
  '--tmpfs=/tmp',
  '--cap-drop=ALL',
  '--security-opt=no-new-privileges',
] as const;

/** Options of a container. */
export interface ContainerOptions {
  readonly image: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Ports inside. Each is published at 127.0.0.1. Default: the port of a service. */
  readonly ports?: readonly number[];
  /** More options of `docker run`. */
  readonly options?: readonly string[];
  /** Replaces the image's command. */
  readonly command?: readonly string[];
}

/** The end of a container. */
export interface Ended {
  readonly exitCode: number;
  readonly seconds: number;
}

/** A test's own container, locked down as all containers of services should be. */
export class Container {
  readonly name: string;
  readonly #startedAtMs = performance.now();

  private constructor(name: string) {
    this.name = name;
  }

  /** Starts a container. Does not wait until it is ready. */
  static async start(container: ContainerOptions): Promise<Container> {
    const {
      image,
      environment = {},
      ports = [SERVICE_PORT, HEALTH_PORT],
      options = [],
      command = [],
    } = container;
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

  /** The URL of one of its ports on this machine. */
  async url(port = SERVICE_PORT): Promise<string> {
    return `http://${await docker('port', this.name, String(port))}`;
  }

  /** All output so far. */
  async output(): Promise<string> {
    const { out, err } = await dockerSaid('logs', this.name);
    return `${out}\n${err}`;
  }

  /** Its JSON log lines so far. */
  async lines(): Promise<Record<string, unknown>[]> {
    const lines = (await this.output()).split('\n').filter((line) => line.startsWith('{'));
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** Runs a program inside. Resolves to its output. @throws Error with the output if it fails */
  exec(...command: readonly string[]): Promise<string> {
    return docker('exec', this.name, ...command);
  }

  /**
   * Waits until its own check finds it healthy.
   *
   * @returns the seconds since its start
   * @throws Error with its output if it ends or does not become healthy in time
   */
  async healthy(withinMs = 30_000): Promise<number> {
    const look = async (): Promise<boolean> => {
      const state = await this.#state('{{.State.Status}} {{.State.Health.Status}}');
      if (state.startsWith('exited')) throw new Error(`${this.name} has ended:\n${await this.output()}`);
      return state === 'running healthy';
    };
    await eventually('a healthy container', look, withinMs).catch(async (cause: unknown) => {
      throw new Error(`${this.name} did not become healthy:\n${await this.output()}`, { cause });
    });
    return (performance.now() - this.#startedAtMs) / 1000;
  }

  /** Waits until it ends by itself. */
  async ended(): Promise<Ended> {
    const exitCode = Number(await docker('wait', this.name));
    return { exitCode, seconds: (performance.now() - this.#startedAtMs) / 1000 };
  }

  /** Stops it as a deploy does: with the image's signal, and after 20 s with a kill. */
  async stop(): Promise<Ended> {
    const askedAtMs = performance.now();
    await docker('stop', '--time=20', this.name);
    const seconds = (performance.now() - askedAtMs) / 1000;
    return { exitCode: Number(await this.#state('{{.State.ExitCode}}')), seconds };
  }

  /** Deletes it, even if it runs. */
  async remove(): Promise<void> {
    await docker('rm', '--force', '--volumes', this.name);
  }

  #state(format: string): Promise<string> {
    return docker('inspect', `--format=${format}`, this.name);
  }
}
