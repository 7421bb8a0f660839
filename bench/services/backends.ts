import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const START_MS = 20_000;
const SERVER = fileURLToPath(new URL('backends-server.ts', import.meta.url));

/** Environment variables of services and workers. */
export type Environment = Readonly<Record<string, string>>;

/** SQS and DynamoDB with all queues and tables, and Lambda's Invoke, in one process beside the measured one. */
export class Backends {
  /** Environment variables of every service and of the worker. */
  readonly environment: Environment;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, environment: Environment) {
    this.#child = child;
    this.environment = environment;
  }

  /** Starts the process. @param functionsPorts - ports of each service's functions, by the service's name */
  static async start(functionsPorts: Readonly<Record<string, number>>): Promise<Backends> {
    const env = {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      FUNCTIONS_PORTS: JSON.stringify(functionsPorts),
    };
    const child = fork(SERVER, { env, stdio: 'inherit', execArgv: [] });
    // The terminal's interrupt ends it too. In any case it ends with this process
    const [environment] = (await once(child, 'message', { signal: AbortSignal.timeout(START_MS) })) as [
      Environment,
    ];
    return new Backends(child, environment);
  }

  /** Kills the process. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}
