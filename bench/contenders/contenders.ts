import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Contender } from '../contender.ts';
import type { Absence } from '../results.ts';
import { installRivals } from '../rival-install.ts';
import { rivals } from '../rival-set.ts';
import { IMAGE_ENVIRONMENT, makeBundles } from '../services/bundles.ts';
import { pinnedVersion } from '../versions.ts';

const BATON = 'bench/contenders/baton';
const WATCHDOG = 'bench/contenders/watchdog-thread';
const BUNDLES = fileURLToPath(new URL('../../node_modules/.cache/bench', import.meta.url));

/** Baton at its documented settings, in a bundle and with the Node options of its image. */
export const baton: Contender = {
  name: 'baton',
  version: pinnedVersion('baton'),
  command: [process.execPath, ...imageOptions(), `${BUNDLES}/${BATON}.mjs`],
  environment: IMAGE_ENVIRONMENT,
  queues: 'sqs',
  drainConcurrency: 100,
  // It joins sends of the same moment into batches by itself
  sends: 'ones',
};

/** The Node options on the command line of the worker's image. */
function imageOptions(): string[] {
  const dockerfile = readFileSync(new URL('../../worker/Dockerfile', import.meta.url), 'utf8');
  const [, command = '[]'] = [...dockerfile.matchAll(/^CMD (\[.*\])$/gm)].at(-1) ?? [];
  return (JSON.parse(command) as string[]).filter((word) => word.startsWith('-'));
}

/** Baton with a task store. The measure adds the environment that names the store. */
export const batonTracked: Contender = {
  ...baton,
  name: 'baton-tracked',
  environment: { ...IMAGE_ENVIRONMENT, TRACKED: '1' },
};

/** The contenders that take part, and those that cannot. */
export interface Field {
  readonly present: readonly Contender[];
  readonly absent: readonly Absence[];
}

/** The names of all contenders. */
export const contenderNames: readonly string[] = [baton, ...rivals].map(({ name }) => name);

/** The raw loop of the AWS SDK. It fills the queues of contenders that do not send. */
export const rawLoop: Contender = rivals.find(({ name }) => name === 'raw-loop') ?? baton;

/**
 * Bundles Baton, installs the rivals if needed, and returns the contenders.
 *
 * @param names - only these contenders. Default: all
 * @param say - called with the name of each installation
 */
export async function contenders(
  names: readonly string[] | undefined,
  say: (text: string) => void,
): Promise<Field> {
  const asked = ({ name }: Contender): boolean => names?.includes(name) ?? true;
  await makeBundles(BUNDLES, [BATON, WATCHDOG], 'bundle:image');
  const { present, absent } = await installRivals(rivals.filter(asked), say);
  return { present: [...[baton].filter(asked), ...present], absent };
}
