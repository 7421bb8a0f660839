// The Serverless plugin that names a REST API's deployment.
import type { Serverless } from '../stack/serverless.ts';

/**
 * The Serverless plugin that names a REST API's deployment by its routes, not by the time. The stage refers to that name
 * (see `gatewayOf`), which must stay the same in a deploy without changes. For an HTTP API it does nothing.
 */
export default class GatewayPlugin {
  readonly hooks: Readonly<Record<string, () => Promise<void>>>;
  readonly #serverless: Serverless;

  constructor(serverless: Serverless) {
    this.#serverless = serverless;
    this.hooks = { 'before:package:compileEvents': () => this.#name() };
  }

  async #name(): Promise<void> {
    const { deploymentSuffix } = await import('./gateway.ts');
    const suffix = deploymentSuffix(this.#serverless.service.resources?.Resources ?? {});
    if (suffix !== undefined) this.#serverless.instanceId = suffix;
  }
}
