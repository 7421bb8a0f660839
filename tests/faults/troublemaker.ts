import { setTimeout as sleep } from 'node:timers/promises';
import type { DurableBroker } from '../support/durable-broker.ts';
import { clockOffBy } from '../support/faketime.ts';
import type { NetworkMode, Proxy } from '../support/proxy.ts';
import type { Random } from './random.ts';
import type { Swarm } from './swarm.ts';

const SHORTEST_MS = 100;
const LONGEST_MS = 1000;
/** Three leases of the swarm. */
const LONGEST_PAUSE_MS = 15_000;
const MOST_WRONG_SECONDS = 43_200;
const MODES: readonly NetworkMode[] = ['cut', 'reset', 'half-open'];
/** Every action, or one alone: receives, heartbeats and releases, deletes, copies of dead letters. */
const ACTIONS = [
  undefined,
  'ReceiveMessage',
  'ChangeMessageVisibilityBatch',
  'DeleteMessageBatch',
  'SendMessageBatch',
];

/** What can go wrong in a soak. */
export type Trouble = 'kill' | 'pause' | 'clock' | 'disk' | 'cut' | 'restart';

/** What a troublemaker acts on. */
export interface TroubleTargets {
  readonly swarm: Swarm;
  readonly proxy: Proxy;
  readonly broker: DurableBroker;
}

/** Harms workers, breaks the network and restarts the broker, by chance that a seed gives again. */
export class Troublemaker {
  readonly #targets: TroubleTargets;
  readonly #random: Random;

  constructor(targets: TroubleTargets, random: Random) {
    this.#targets = targets;
    this.#random = random;
  }

  /** Makes one trouble. Resolves once it is over. */
  async make(trouble: Trouble): Promise<void> {
    switch (trouble) {
      case 'kill':
        return this.#targets.swarm.replaceOne(this.#random);
      case 'pause':
        return this.#targets.swarm.pauseOne(this.#random, SHORTEST_MS + this.#random.below(LONGEST_PAUSE_MS));
      case 'clock':
        return this.#targets.swarm.replaceOne(this.#random, {
          environment: clockOffBy(this.#wrongBySeconds()),
        });
      case 'disk':
        return this.#targets.swarm.replaceOne(this.#random, { fullDisk: true });
      case 'cut':
        return this.#cut();
      case 'restart':
        return this.#restart();
    }
  }

  async #cut(): Promise<void> {
    const { proxy } = this.#targets;
    const action = this.#oneOf(ACTIONS);
    proxy.change(this.#oneOf(MODES), { action });
    await this.#last();
    proxy.change('pass');
  }

  async #restart(): Promise<void> {
    const { broker } = this.#targets;
    await broker.kill(this.#oneOf(['SIGKILL', 'SIGKILL', 'SIGTERM'] as const));
    await this.#last();
    await broker.startAgain();
  }

  #wrongBySeconds(): number {
    return this.#random.below(2 * MOST_WRONG_SECONDS) - MOST_WRONG_SECONDS;
  }

  #last(): Promise<void> {
    return sleep(SHORTEST_MS + this.#random.below(LONGEST_MS - SHORTEST_MS));
  }

  #oneOf<Item>(items: readonly Item[]): Item {
    return items[this.#random.below(items.length)] as Item;
  }
}
