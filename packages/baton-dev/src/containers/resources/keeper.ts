// Keeps the queues and tables of a stack in existence.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'baton-tasks/service';
import { reasonOf } from 'baton-tasks/tooling';
import { createResources, type ResourceClients } from '../../embedded/create-resources.ts';
import type { Resources } from '../../stack/resources.ts';
import { missingOf } from './inventory.ts';

const LOOK_EVERY_MS = 2000;

/** Configures a keeper. */
export interface KeeperOptions {
  readonly resources: Resources;
  /** The start of all names, such as `baton-dev-`. */
  readonly stagePrefix: string;
  readonly clients: ResourceClients;
  readonly logger: Logger;
}

/**
 * Keeps the queues and tables of a stack in existence: creates missing ones every other second. LocalStack's free edition
 * keeps them in memory and loses them when it restarts, so one creation at the start would not do.
 */
export class Keeper {
  readonly #options: KeeperOptions;
  #trouble = 'Queues and tables are not checked yet';

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  /** Resolves if everything exists. @throws Error that names what is missing, or why the check failed */
  async ready(): Promise<void> {
    if (this.#trouble !== '') throw new Error(this.#trouble);
  }

  /** Checks, and creates what is missing. Never throws: `ready` shows an error until the next check. */
  async look(): Promise<void> {
    const { resources, stagePrefix, clients, logger } = this.#options;
    try {
      const missing = await missingOf(resources, stagePrefix, clients);
      if (missing.length > 0) {
        this.#trouble = `Missing queues and tables: ${missing.join(', ')}`;
        await createResources(resources, stagePrefix, clients);
        logger.info({ created: missing }, 'queues and tables created');
      }
      this.#trouble = '';
    } catch (error) {
      const trouble = reasonOf(error);
      // Only when the trouble changes, because the emulator may take long to start
      if (trouble !== this.#trouble) logger.warn({ error }, `queues and tables are missing: ${trouble}`);
      this.#trouble = trouble;
    }
  }

  /** Checks every other second, until the process ends. */
  async keep(): Promise<never> {
    for (;;) {
      await this.look();
      await sleep(LOOK_EVERY_MS);
    }
  }

  /** Checks until everything exists. @throws Error that names what is missing after so many seconds */
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
