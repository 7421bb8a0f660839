import { missingForWrongClocks, WrongClock } from '../support/wrong-clock.ts';
import type { Random } from './random.ts';
import type { Swarm } from './swarm.ts';

const SHORTEST_PAUSE_MS = 100;
/** At least three leases of a swarm. */
const LONGEST_PAUSE_MS = 15_000;
const MOST_WRONG_SECONDS = 43_200;

/** A trouble of a worker in a soak. */
export type WorkerTrouble = 'kill' | 'pause' | 'clock' | 'disk';

/** The number of troubles of each kind. */
export interface WorkerTroubles {
  /** Workers killed with SIGKILL. */
  readonly kills: number;
  /** Workers paused with SIGSTOP for up to three leases. */
  readonly pauses: number;
  /** Workers whose clock is wrong by up to 12 hours. */
  readonly clocks: number;
  /** Workers whose log is on a full disk. */
  readonly disks: number;
}

/** Lists the troubles of a plan. @throws Error if it has wrong clocks and this machine lacks libfaketime */
export function workerTroubles({ kills, pauses, clocks, disks }: WorkerTroubles): WorkerTrouble[] {
  if (clocks > 0 && missingForWrongClocks !== undefined)
    throw new Error(`Wrong clocks need ${missingForWrongClocks}; install it, or pass --clocks 0`);
  return [
    ...Array<WorkerTrouble>(kills).fill('kill'),
    ...Array<WorkerTrouble>(pauses).fill('pause'),
    ...Array<WorkerTrouble>(clocks).fill('clock'),
    ...Array<WorkerTrouble>(disks).fill('disk'),
  ];
}

/**
 * Makes a trouble for a random worker that is not spared. If it kills the worker, it resolves once another has started.
 *
 * @returns whether there was a worker for it
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
