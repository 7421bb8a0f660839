import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'baton-tasks/service';
import { reasonOf } from 'baton-tasks/tooling';
import { createResources, type ResourceClients } from '../../embedded/create-resources.ts';
import type { Resources } from '../../stack/resources.ts';
import { missingOf } from './inventory.ts';

const LOOK_EVERY_MS = 2000;

/** What is kept, and where. */
export interface KeeperOptions {
  readonly resources: Resources;
  /** What all names begin with, such as `baton-dev-`. */
  readonly stagePrefix: string;
  readonly clients: ResourceClients;
  readonly logger: Logger;
}

/**
 * Sees to it that the queues and tables of a stack are there. An emulator that keeps them in memory, as LocalStack's
 * free edition does, has forgotten them all when it comes back; whoever created them once at the start would leave the
 * system broken.
 */
export class Keeper {
  readonly #options: KeeperOptions;
  #trouble = 'Nothing has been looked at yet';

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  /** Resolves while everything is there. @throws Error saying what is not, or why that is not known */
  async ready(): Promise<void> {
    if (this.#trouble !== '') throw new Error(this.#trouble);
  }

  /** Looks, and creates what is missing. Never throws: what is wrong is the state until the next look. */
  async look(): Promise<void> {
    const { resources, stagePrefix, clients, logger } = this.#options;
    try {
      const missing = await missingOf(resources, stagePrefix, clients);
      if (missing.length > 0) {
        this.#trouble = `Not there: ${missing.join(', ')}`;
        await createResources(resources, stagePrefix, clients);
        logger.info({ created: missing }, 'queues and tables created');
      }
      this.#trouble = '';
    } catch (error) {
      const trouble = reasonOf(error);
      // Once, not at every look: it may take its time to start
      if (trouble !== this.#trouble) logger.warn({ error }, `queues and tables are not there: ${trouble}`);
      this.#trouble = trouble;
    }
  }

  /** Looks every other second, for as long as the process runs. */
  async keep(): Promise<never> {
    for (;;) {
      await this.look();
      await sleep(LOOK_EVERY_MS);
    }
  }

  /** Looks until everything is there. @throws Error saying what is not after so many seconds */
  async once(withinSeconds: number): Promise<void> {
    const untilMs = performance.now() + withinSeconds * 1000;
    await this.look();
    while (this.#trouble !== '' && performance.now() < untilMs) {
      await sleep(LOOK_EVERY_MS);
      await this.look();
    }
    await this.ready();
  }
}
