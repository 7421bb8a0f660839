import type { Serverless } from '../stack/serverless.ts';

/**
 * The serverless plugin that has a REST API's deployment called by its routes, in place of the time: the stage names it
 * (see `gatewayOf`), and a deploy that changes nothing must name the same. For an HTTP API it does nothing.
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
