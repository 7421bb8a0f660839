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

/** Baton, at its documented settings, in a bundle and with Node's options as its image has them. */
export const baton: Contender = {
  name: 'baton',
  version: pinnedVersion('baton'),
  command: [process.execPath, ...imageOptions(), `${BUNDLES}/${BATON}.mjs`],
  environment: IMAGE_ENVIRONMENT,
  queues: 'sqs',
  drainConcurrency: 100,
  // What is sent at about the same time it gathers by itself
  sends: 'ones',
};

/** What the worker's image gives Node on its command line. */
function imageOptions(): string[] {
  const dockerfile = readFileSync(new URL('../../worker/Dockerfile', import.meta.url), 'utf8');
  const [, command = '[]'] = [...dockerfile.matchAll(/^CMD (\[.*\])$/gm)].at(-1) ?? [];
  return (JSON.parse(command) as string[]).filter((word) => word.startsWith('-'));
}

/** Baton with a task store, which is found where `environment` of the store says. */
export const batonTracked: Contender = {
  ...baton,
  name: 'baton-tracked',
  environment: { ...IMAGE_ENVIRONMENT, TRACKED: '1' },
};

/** Who takes part, and who cannot. */
export interface Field {
  readonly present: readonly Contender[];
  readonly absent: readonly Absence[];
}

/** Who may be asked for by name. */
export const contenderNames: readonly string[] = [baton, ...rivals].map(({ name }) => name);

/** The raw loop of the AWS SDK, which fills the queues of those who do not send. */
export const rawLoop: Contender = rivals.find(({ name }) => name === 'raw-loop') ?? baton;

/**
 * Baton and its rivals, installed where that was not done yet.
 *
 * @param names - those alone. Default: all
 * @param say - told what is being installed
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
