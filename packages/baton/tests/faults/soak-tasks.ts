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

/** How a task of a soak is to end: done, rejected by itself, or set aside because it kills its workers. */
export type SoakEnd = 'done' | 'rejected' | 'crashed';

/**
 * The tasks of a soak: naps by chance, of which one in a hundred rejects itself at its end, and poison. Each send is
 * tried once under an id of its own, so that it is known of each whether the broker has acknowledged it.
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

  /** How each task is to end that was sent, whether or not the broker said that it has it. */
  get attempted(): ReadonlyMap<string, SoakEnd> {
    return this.#attempted;
  }

  /** The ids of those that the broker has acknowledged. */
  get acknowledged(): ReadonlySet<string> {
    return this.#acknowledged;
  }

  /** Sends naps at one time, until the broker has acknowledged so many of them. */
  async send(count: number): Promise<void> {
    await Promise.all(Array.from({ length: count }, () => this.#sendNap()));
  }

  /** Sends one task that kills the worker which runs it. */
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

  /** Sends under one id after the other while the broker is away. */
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
