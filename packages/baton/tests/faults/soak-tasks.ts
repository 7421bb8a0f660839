import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { SendError } from 'baton-tasks';
import type { TaskClient } from 'baton-tasks/service';
import { nap } from '../support/nap.ts';
import { poison } from '../support/poison.ts';
import type { Random } from './random.ts';

const MAX_NAP_MS = 40;
const REJECTING_IN = 100;
const REST_MS = 100;

/** The planned end of a soak's task: done, rejected by its handler, or dead because it kills its workers. */
export type SoakEnd = 'done' | 'rejected' | 'crashed';

/**
 * The tasks of a soak: random naps, of which one in a hundred rejects itself, and poison. Each send is tried once with
 * an id of its own, so that it is known for each id whether the broker has acknowledged it.
 */
export class SoakTasks {
  readonly #client: TaskClient;
  readonly #random: Random;
  readonly #attempted = new Map<string, SoakEnd>();
  readonly #acknowledged = new Set<string>();

  constructor(client: TaskClient, random: Random) {
    this.#client = client;
    this.#random = random;
  }

  /** The planned end of each attempted send, acknowledged or not, by task id. */
  get attempted(): ReadonlyMap<string, SoakEnd> {
    return this.#attempted;
  }

  /** The ids of the tasks that the broker has acknowledged. */
  get acknowledged(): ReadonlySet<string> {
    return this.#acknowledged;
  }

  /** Sends naps at the same time, until the broker has acknowledged this number of them. */
  async send(count: number): Promise<void> {
    await Promise.all(Array.from({ length: count }, () => this.#sendNap()));
  }

  /** Sends one task that kills its worker. */
  async sendPoison(): Promise<void> {
    await this.#untilAcknowledged('crashed', (taskId) =>
      this.#client.send(poison, { how: 'SIGKILL' }, { taskId }),
    );
  }

  async #sendNap(): Promise<void> {
    const ms = this.#random.below(MAX_NAP_MS);
    const rejects = this.#random.below(REJECTING_IN) === 0;
    await this.#untilAcknowledged(rejects ? 'rejected' : 'done', (taskId) =>
      this.#client.send(nap, { ms, rejects }, { taskId }),
    );
  }

  /** Sends with a new id each time until the broker acknowledges it. */
  async #untilAcknowledged(end: SoakEnd, send: (taskId: string) => Promise<unknown>): Promise<void> {
    for (;;) {
      const taskId = randomUUID();
      this.#attempted.set(taskId, end);
      try {
        await send(taskId);
        this.#acknowledged.add(taskId);
        return;
      } catch (error) {
        if (!(error instanceof SendError && error.transient)) throw error;
        await sleep(REST_MS);
      }
    }
  }
}
