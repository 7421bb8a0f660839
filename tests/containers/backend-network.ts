import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { type Backends, startBackends } from 'baton-dev/testing/backends';
import { eventually } from 'baton-dev/testing/eventually';
import { Container } from './container.ts';
import { docker } from './docker.ts';
import { ROOT } from 'baton-dev/stack/root';
import { nodeImage } from './image.ts';

const SQS_PORT = 4566;
const DYNAMODB_PORT = 4567;
/** The emulators' name on the network. */
const ALIAS = 'emulators';

/** Variables that an image sets itself, or whose service does not exist beside the image. */
const LEFT_OUT = ['HOST', 'PORT', 'HEALTH_HOST', 'HEALTH_PORT', 'AWS_ENDPOINT_URL_LAMBDA'];

/** SQS and DynamoDB in a container, on a network with the containers that use them. This machine reaches them too. */
export class BackendNetwork {
  readonly backends: Backends;
  /** Options of `docker run` that connect a container to the network. */
  readonly options: readonly string[];
  readonly #network: string;
  readonly #emulators: Container;

  private constructor(network: string, emulators: Container, backends: Backends) {
    this.#network = network;
    this.#emulators = emulators;
    this.backends = backends;
    this.options = [`--network=${network}`];
  }

  /** Starts the emulators, and creates the queues and tables of `parts` in them. */
  static async start(parts: readonly string[]): Promise<BackendNetwork> {
    const network = `baton-img-${randomBytes(4).toString('hex')}`;
    await docker('network', 'create', network);
    const emulators = await startEmulators(network).catch(async (error: unknown) => {
      await docker('network', 'rm', network);
      throw error;
    });
    await eventually('emulators that listen', async () => (await emulators.output()).includes('listening'));
    const backends = await startBackends(parts, {
      sqsEndpoint: await emulators.url(SQS_PORT),
      dynamoDbEndpoint: await emulators.url(DYNAMODB_PORT),
    });
    return new BackendNetwork(network, emulators, backends);
  }

  /** The environment of a folder's container: its .env.example, with the endpoints on this network. */
  environmentOf(folder: string): Record<string, string> {
    const example = parseEnv(readFileSync(join(ROOT, folder, '.env.example'), 'utf8'));
    const { stage, environment } = this.backends;
    const own = Object.entries(example).map(([name, value = '']) => [
      name,
      value.replace('baton-dev-', `baton-${stage}-`),
    ]);
    const variables: Record<string, string> = {
      ...(Object.fromEntries(own) as Record<string, string>),
      ...environment,
      AWS_ENDPOINT_URL_SQS: `http://${ALIAS}:${SQS_PORT}`,
      AWS_ENDPOINT_URL_DYNAMODB: `http://${ALIAS}:${DYNAMODB_PORT}`,
    };
    for (const name of LEFT_OUT) delete variables[name];
    return variables;
  }

  /** Deletes the network and the emulators. */
  async stop(): Promise<void> {
    await this.backends.stop();
    await this.#emulators.remove();
    await docker('network', 'rm', this.#network);
  }
}

/** Starts the emulators from this folder, as a user who may read it. */
function startEmulators(network: string): Promise<Container> {
  const { getuid, getgid } = process;
  const user = getuid && getgid ? [`--user=${getuid()}:${getgid()}`] : [];
  const repository = [`--volume=${ROOT}:/repository:ro`, '--workdir=/repository'];
  return Container.start({
    image: nodeImage(),
    ports: [SQS_PORT, DYNAMODB_PORT],
    options: [`--network=${network}`, `--network-alias=${ALIAS}`, ...user, ...repository],
    command: ['node', 'tests/containers/emulators.ts'],
  });
}
