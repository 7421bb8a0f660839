import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { SendError } from '@baton/common/queue/errors';
import type { TaskClient } from '@baton/common/queue/task-client';

import { nap } from '../support/nap.ts';
import type { Random } from './random.ts';

const MAX_NAP_MS = 40;
const REJECTING_IN = 100;
const REST_MS = 100;

/** The tasks of a soak: naps by chance, of which one in a hundred rejects itself at its end. */
export class SoakTasks {
  readonly #client: TaskClient;
  readonly #random: Random;
  readonly #plain = new Set<string>();
  readonly #rejecting = new Set<string>();
  #repeated = 0;

  constructor(client: TaskClient, random: Random) {
    this.#client = client;
    this.#random = random;
  }

  /** The ids of those that are to be done. */
  get plain(): ReadonlySet<string> {
    return this.#plain;
  }

  /** The ids of those that are to become dead letters. */
  get rejecting(): ReadonlySet<string> {
    return this.#rejecting;
  }

  /** How often a send was made again: the broker may have taken the first one, too. */
  get repeated(): number {
    return this.#repeated;
  }

  /** Sends so many tasks at one time; resolves once the broker has taken all of them. */
  async send(count: number): Promise<void> {
    await Promise.all(Array.from({ length: count }, () => this.#sendOne()));
  }

  async #sendOne(): Promise<void> {
    const taskId = randomUUID();
    const ms = this.#random.below(MAX_NAP_MS);
    const rejects = this.#random.below(REJECTING_IN) === 0;
    await this.#insist(() => this.#client.send(nap, { ms, rejects }, { taskId }));
    (rejects ? this.#rejecting : this.#plain).add(taskId);
  }

  /** Sends again, under the same id, for as long as the broker is away. */
  async #insist(send: () => Promise<unknown>): Promise<void> {
    for (;;) {
      try {
        await send();
        return;
      } catch (error) {
        if (!(error instanceof SendError && error.transient)) throw error;
        this.#repeated += 1;
        await sleep(REST_MS);
      }
    }
  }
}
