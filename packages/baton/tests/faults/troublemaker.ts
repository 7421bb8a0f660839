import { setTimeout as sleep } from 'node:timers/promises';
import type { DurableBroker } from '../support/durable-broker.ts';
import type { NetworkMode, Proxy } from 'baton-dev/testing/proxy';
import type { Random } from './random.ts';
import type { Swarm } from './swarm.ts';
import { troubleWorker, type WorkerTrouble } from './worker-troubles.ts';

const SHORTEST_MS = 100;
const LONGEST_MS = 1000;
const MODES: readonly NetworkMode[] = ['cut', 'reset', 'half-open'];
/** Every action, or only one: receives, heartbeats and releases, deletes, copies of dead letters. */
const ACTIONS = [
  undefined,
  'ReceiveMessage',
  'ChangeMessageVisibilityBatch',
  'DeleteMessageBatch',
  'SendMessageBatch',
];

/** A trouble in a soak. */
export type Trouble = WorkerTrouble | 'cut' | 'restart';

/** The parts of a soak that a troublemaker acts on. */
export interface TroubleTargets {
  readonly swarm: Swarm;
  readonly proxy: Proxy;
  readonly broker: DurableBroker;
}

/** Harms workers, breaks the network and restarts the broker, at random from a seed. */
export class Troublemaker {
  readonly #targets: TroubleTargets;
  readonly #random: Random;

  constructor(targets: TroubleTargets, random: Random) {
    this.#targets = targets;
    this.#random = random;
  }

  /** Makes one trouble. Resolves when it is over. */
  async make(trouble: Trouble): Promise<void> {
    switch (trouble) {
      case 'cut':
        return this.#cut();
      case 'restart':
        return this.#restart();
      case 'kill':
      case 'pause':
      case 'clock':
      case 'disk':
        await troubleWorker(this.#targets.swarm, this.#random, trouble);
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

  #last(): Promise<void> {
    return sleep(SHORTEST_MS + this.#random.below(LONGEST_MS - SHORTEST_MS));
  }

  #oneOf<Item>(items: readonly Item[]): Item {
    return items[this.#random.below(items.length)] as Item;
  }
}
