import { randomUUID } from 'node:crypto';
import type { TaskClient } from 'baton-tasks/service';
import { trackedPoison } from '../support/poison.ts';
import { count } from '../support/tracked-tasks.ts';
import type { Random } from './random.ts';

const MAX_NAP_MS = 400;
const MAX_NUMBER = 1_000_000;
const FAILING_IN = 5;
const MAX_FAILURES = 2;

/** The random tracked tasks of a soak. One in five throws at its first or its first two attempts. */
export class CountedTasks {
  readonly #client: TaskClient;
  readonly #random: Random;
  readonly #numbers = new Map<string, number>();
  readonly #poisons = new Set<string>();
  #failures = 0;

  constructor(client: TaskClient, random: Random) {
    this.#client = client;
    this.#random = random;
  }

  /** The number in each task's payload, by task id. */
  get numbers(): ReadonlyMap<string, number> {
    return this.#numbers;
  }

  /** The ids of the tasks that kill their worker. */
  get poisons(): ReadonlySet<string> {
    return this.#poisons;
  }

  /** The number of attempts that throw. */
  get failures(): number {
    return this.#failures;
  }

  /** Sends a number of tasks at the same time. Resolves once SQS has all of them. */
  async send(howMany: number): Promise<void> {
    await Promise.all(Array.from({ length: howMany }, () => this.#sendOne()));
  }

  /** Sends one task that kills its worker. */
  async sendPoison(): Promise<void> {
    const { taskId } = await this.#client.send(trackedPoison, { how: 'SIGKILL' });
    this.#poisons.add(taskId);
  }

  async #sendOne(): Promise<void> {
    const taskId = randomUUID();
    const number = this.#random.below(MAX_NUMBER);
    const fails = this.#random.below(FAILING_IN) === 0;
    const failures = fails ? 1 + this.#random.below(MAX_FAILURES) : 0;
    const ms = this.#random.below(MAX_NAP_MS);
    this.#numbers.set(taskId, number);
    this.#failures += failures;
    await this.#client.send(count, { number, ms, failures }, { taskId });
  }
}
