// The Serverless plugin that asks for a word before it removes a protected stage.
import type { Serverless } from '../stack/serverless.ts';
import { printableLines } from '../terminal/printable.ts';

/** The options of the command line that this plugin reads. */
interface Options {
  /** Parameters, each as `name=value`. */
  readonly param?: string | readonly string[];
}

/** The Serverless plugin that refuses `remove` of a protected stage without the parameter `remove`. */
export default class ProtectionPlugin {
  readonly hooks: Readonly<Record<string, () => Promise<void>>>;
  readonly #serverless: Serverless;
  readonly #options: Options;

  constructor(serverless: Serverless, options: Options) {
    this.#serverless = serverless;
    this.#options = options;
    this.hooks = { 'before:remove:remove': () => this.#check() };
  }

  async #check(): Promise<void> {
    const { checkRemoval } = await import('./protection.ts');
    const { provider, resources } = this.#serverless.service;
    try {
      checkRemoval(provider.stage, resources?.Resources ?? {}, this.#word());
    } catch (error) {
      throw new this.#serverless.classes.Error(printableLines((error as Error).message));
    }
  }

  /** The parameter `remove`. It counts on the command line alone: in a file it would be no word of the moment. */
  #word(): string | undefined {
    const given = [this.#options.param ?? []].flat();
    return given.findLast((text) => text.startsWith('remove='))?.slice('remove='.length);
  }
}
