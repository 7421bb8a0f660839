import type { Serverless } from './serverless.ts';

/**
 * The serverless plugin for emulators, which does nothing unless AWS_ENDPOINT_URL names one. `remove` asks ECR whether
 * the stack has a repository, and fails where there is no ECR; of an emulator's stack the answer is that it has none.
 */
export default class EmulatorPlugin {
  constructor(serverless: Serverless) {
    if (!process.env['AWS_ENDPOINT_URL']) return;
    for (const plugin of serverless.pluginManager.plugins) {
      if ('checkIfEcrRepositoryExists' in plugin) plugin.checkIfEcrRepositoryExists = async () => false;
    }
  }
}
