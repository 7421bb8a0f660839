import { ConfigError } from '@baton/common/config';
import { readLocalConfig } from './config.ts';
import { LocalRuntime } from './runtime.ts';
import { offlineOf, type OfflineOptions, type Serverless } from './serverless.ts';

/**
 * The serverless plugin that makes `serverless offline` the whole system: emulators, queues, tables, the services'
 * functions behind serverless-offline, and a worker, in one process. It takes the command over, so that all of it
 * starts in order and stops in order; for every other command it does nothing.
 */
export default class LocalRuntimePlugin {
  readonly hooks: Readonly<Record<string, () => Promise<void>>>;
  readonly #serverless: Serverless;
  readonly #options: OfflineOptions;

  constructor(serverless: Serverless, options: OfflineOptions) {
    this.#serverless = serverless;
    this.#options = options;
    const run = (): Promise<void> => this.#run();
    this.hooks = { 'before:offline:start': run, 'before:offline:start:init': run };
  }

  async #run(): Promise<never> {
    const signal = firstSignal();
    const runtime = new LocalRuntime(this.#serverless, offlineOf(this.#serverless), this.#options);
    try {
      await runtime.start(readLocalConfig(process.env));
    } catch (error) {
      await runtime.stop();
      throw this.#explained(error);
    }
    await signal;
    await runtime.stop();
    process.exit(0);
  }

  /** Serverless shows the message alone of its own errors, a stack of all others. */
  #explained(error: unknown): unknown {
    const known = error instanceof ConfigError || (error instanceof Error && error.name === 'Error');
    return known ? new this.#serverless.classes.Error((error as Error).message) : error;
  }
}

function firstSignal(): Promise<NodeJS.Signals> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  process.once('SIGINT', resolve).once('SIGTERM', resolve);
  return promise;
}
