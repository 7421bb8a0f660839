import { fileURLToPath } from 'node:url';
import type { Contender } from '../contender.ts';
import type { Absence } from '../results.ts';
import { pinnedVersion } from '../versions.ts';

/** Baton, at its documented settings. */
export const baton: Contender = {
  name: 'baton',
  version: pinnedVersion('baton'),
  command: [process.execPath, fileURLToPath(new URL('baton.ts', import.meta.url))],
  queues: 'sqs',
  drainConcurrency: 100,
};

/** Baton with a task store, which is found where `environment` of the store says. */
export const batonTracked: Contender = { ...baton, name: 'baton-tracked', environment: { TRACKED: '1' } };

/** Who takes part, and who cannot. */
export interface Field {
  readonly present: readonly Contender[];
  readonly absent: readonly Absence[];
}

/**
 * Baton and its rivals, installed where that was not done yet.
 *
 * @param names - those alone. Default: all
 */
export async function contenders({
  contenders: names,
}: {
  contenders: readonly string[] | undefined;
}): Promise<Field> {
  const present = [baton];
  return { present: present.filter(({ name }) => names?.includes(name) ?? true), absent: [] };
}
