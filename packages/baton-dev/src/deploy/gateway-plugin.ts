// The Serverless plugin that completes the API of a deploy.
import type { Serverless } from '../stack/serverless.ts';

/**
 * The Serverless plugin that completes the API of a deploy, before it is packaged:
 *
 * - It refuses a deploy that does not say who may call its API, and one with a function that could not start.
 * - It adds the routes that each api.ts declares, with their authorizers and scopes.
 * - It names a REST API's deployment by its routes, not by the time. The stage refers to that name (see `gatewayOf`), which
 *   must stay the same in a deploy without changes.
 */
export default class GatewayPlugin {
  readonly hooks: Readonly<Record<string, () => Promise<void>>>;
  readonly #serverless: Serverless;

  constructor(serverless: Serverless) {
    this.#serverless = serverless;
    this.hooks = {
      'before:package:cleanup': () => this.#complete(),
      'before:deploy:function:initialize': () => this.#complete(),
      'before:package:compileEvents': () => this.#name(),
    };
  }

  async #complete(): Promise<void> {
    const { completeApi } = await import('./complete-api.ts');
    const { StackError } = await import('../stack/stack-error.ts');
    try {
      await completeApi(this.#serverless);
    } catch (error) {
      throw error instanceof StackError ? new this.#serverless.classes.Error(error.message) : error;
    }
  }

  async #name(): Promise<void> {
    const { deploymentSuffix } = await import('./gateway.ts');
    const suffix = deploymentSuffix(this.#serverless.service.resources?.Resources ?? {});
    if (suffix !== undefined) this.#serverless.instanceId = suffix;
  }
}
