import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const call = promisify(execFile);

/** What a system of containers is started with. */
export interface ComposeOptions {
  /** Files that are laid over docker-compose.localstack.yml. */
  readonly files?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** A system of docker-compose.localstack.yml, of a test's own. */
export class Compose {
  readonly #args: readonly string[];
  readonly #environment: NodeJS.ProcessEnv;

  constructor(project: string, { files = [], environment = {} }: ComposeOptions = {}) {
    const all = ['docker-compose.localstack.yml', ...files].flatMap((file) => ['-f', file]);
    this.#args = ['compose', '-p', project, ...all];
    this.#environment = { ...process.env, ...environment };
  }

  /** Runs a command of compose, and resolves to what it wrote. @throws Error with what it wrote, when it fails */
  async run(...args: readonly string[]): Promise<string> {
    const options = { env: this.#environment, maxBuffer: 50_000_000 };
    const { stdout } = await call('docker', [...this.#args, ...args], options);
    return stdout;
  }

  /** Starts services, and resolves once they are healthy. */
  async up(args: readonly string[]): Promise<void> {
    await this.run('up', '--detach', '--wait', ...args);
  }

  /** Ends and forgets it all. */
  async down(): Promise<void> {
    await this.run('down', '--volumes', '--timeout', '1');
  }
}
