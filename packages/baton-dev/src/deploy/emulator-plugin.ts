// The Serverless plugin for emulators of AWS.
import type { Serverless } from '../stack/serverless.ts';

/**
 * The Serverless plugin for emulators. It does nothing unless AWS_ENDPOINT_URL names one. Serverless's `remove` asks ECR for
 * the stack's repository, and fails if the emulator has no ECR. This plugin answers that there is none.
 */
export default class EmulatorPlugin {
  readonly hooks: Readonly<Record<string, () => void>>;
  readonly #serverless: Serverless;

  constructor(serverless: Serverless) {
    this.#serverless = serverless;
    this.hooks = process.env['AWS_ENDPOINT_URL']
      ? { 'before:remove:remove': () => this.#answerForEcr() }
      : {};
  }

  #answerForEcr(): void {
    for (const plugin of this.#serverless.pluginManager.plugins) {
      if (plugin.checkIfEcrRepositoryExists) plugin.checkIfEcrRepositoryExists = async () => false;
    }
  }
}
