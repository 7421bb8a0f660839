import { missingForWrongClocks, WrongClock } from '../support/wrong-clock.ts';
import type { Random } from './random.ts';
import type { Swarm } from './swarm.ts';

const SHORTEST_PAUSE_MS = 100;
/** At least three leases of a swarm. */
const LONGEST_PAUSE_MS = 15_000;
const MOST_WRONG_SECONDS = 43_200;

/** What can go wrong with a worker in a soak. */
export type WorkerTrouble = 'kill' | 'pause' | 'clock' | 'disk';

/** How often each of it goes wrong. */
export interface WorkerTroubles {
  /** Workers killed with SIGKILL. */
  readonly kills: number;
  /** Workers stopped in their tracks with SIGSTOP, for up to three leases. */
  readonly pauses: number;
  /** Workers whose clock is wrong by up to 12 hours. */
  readonly clocks: number;
  /** Workers whose log is on a full disk. */
  readonly disks: number;
}

/** The troubles of a plan, one after the other. @throws Error when this machine cannot give processes a wrong clock */
export function workerTroubles({ kills, pauses, clocks, disks }: WorkerTroubles): WorkerTrouble[] {
  if (clocks > 0 && missingForWrongClocks !== undefined)
    throw new Error(`Wrong clocks need ${missingForWrongClocks}; --clocks 0 does without them`);
  return [
    ...Array<WorkerTrouble>(kills).fill('kill'),
    ...Array<WorkerTrouble>(pauses).fill('pause'),
    ...Array<WorkerTrouble>(clocks).fill('clock'),
    ...Array<WorkerTrouble>(disks).fill('disk'),
  ];
}

/**
 * Makes one trouble for a worker by chance, but for those that are spared. Resolves once another is in its place, if one
 * has to be, to whether there was one to trouble.
 */
export async function troubleWorker(
  swarm: Swarm,
  random: Random,
  trouble: WorkerTrouble,
  spared?: ReadonlySet<string>,
): Promise<boolean> {
  switch (trouble) {
    case 'kill':
      return swarm.replaceOne(random, {}, spared);
    case 'pause':
      return swarm.pauseOne(random, SHORTEST_PAUSE_MS + random.below(LONGEST_PAUSE_MS), spared);
    case 'clock': {
      const seconds = random.below(2 * MOST_WRONG_SECONDS) - MOST_WRONG_SECONDS;
      const clock = new WrongClock(seconds);
      process.once('exit', () => clock.clear());
      return swarm.replaceOne(random, clock, spared);
    }
    case 'disk':
      return swarm.replaceOne(random, { fullDisk: true }, spared);
  }
}
