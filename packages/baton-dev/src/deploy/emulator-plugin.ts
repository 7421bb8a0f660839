import type { Serverless } from '../stack/serverless.ts';

/**
 * The serverless plugin for emulators, which does nothing unless AWS_ENDPOINT_URL names one. `remove` asks ECR whether
 * the stack has a repository, and fails where there is no ECR; of an emulator's stack the answer is that it has none.
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
