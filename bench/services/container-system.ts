import { join } from 'node:path';
import { freePort } from 'baton-dev/testing/program';
import type { Bench } from '../bench.ts';
import { Backends } from './backends.ts';
import { IMAGE_ENVIRONMENT, imageBundles } from './bundles.ts';
import { OwnProcess } from './own-process.ts';

const START_MS = 20_000;

/** A process of a service or of the worker, and its URL. */
export interface Server {
  readonly process: OwnProcess;
  readonly url: string;
}

/** Services and the worker as their images run them: each in a process, from a bundle. `Backends` emulates AWS. */
export class ContainerSystem {
  readonly #servers: ReadonlyMap<string, Server>;
  readonly #backends: Backends;

  private constructor(servers: ReadonlyMap<string, Server>, backends: Backends) {
    this.#servers = servers;
    this.#backends = backends;
  }

  /**
   * Starts some servers, and resolves once all are ready.
   *
   * @param names - such as `order-service` and `worker`
   */
  static async start(names: readonly string[], bench: Bench): Promise<ContainerSystem> {
    bench.say('bundling');
    const bundles = await imageBundles(join(bench.folder, 'images'));
    bench.say(`starting ${names.join(', ')}`);
    const ports = new Map<string, number>();
    const functionsPorts: Record<string, number> = {};
    for (const name of names) {
      ports.set(name, await freePort());
      functionsPorts[name] = await freePort();
    }
    const backends = await Backends.start(functionsPorts);
    const serverOf = (name: string): Server => {
      const port = String(ports.get(name));
      const environment = {
        ...backends.environment,
        ...IMAGE_ENVIRONMENT,
        PORT: port,
        // A service's health is at its API's port
        HEALTH_PORT: name === 'worker' ? port : '',
        FUNCTIONS_PORT: String(functionsPorts[name]),
        RATE_LIMIT_PER_SECOND: '0',
      };
      const command = [process.execPath, bundles.get(name) ?? ''] as const;
      const own = new OwnProcess({ command, environment, name, bench });
      return { process: own, url: `http://127.0.0.1:${port}` };
    };
    const system = new ContainerSystem(new Map(names.map((name) => [name, serverOf(name)])), backends);
    await system.#ready();
    return system;
  }

  /** A server by its name. @throws RangeError if it was not started */
  server(name: string): Server {
    const server = this.#servers.get(name);
    const started = [...this.#servers.keys()].join(', ');
    if (!server) throw new RangeError(`${name} was not started; expected one of ${started}`);
    return server;
  }

  /** Kills all servers and the backends. */
  async stop(): Promise<void> {
    await Promise.all([...this.#servers.values()].map((server) => server.process.stop('SIGKILL')));
    await this.#backends.stop();
  }

  async #ready(): Promise<void> {
    try {
      const servers = [...this.#servers.values()];
      await Promise.all(
        servers.map((server) => server.process.answers(`${server.url}/health/ready`, START_MS)),
      );
    } catch (error) {
      await this.stop();
      throw error;
    }
  }
}
