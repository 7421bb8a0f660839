import type { PluginUtils, Serverless } from '../stack/serverless.ts';

/**
 * The serverless plugin that makes one small bundle of each function before it is packaged, in place of a ZIP file of
 * the whole folder. The ZIP files lie in `.serverless`, where Serverless finds out that nothing has changed. For every
 * other command it does nothing, and loads nothing.
 */
export default class BundlePlugin {
  readonly hooks: Readonly<Record<string, () => Promise<void>>>;
  readonly #serverless: Serverless;
  readonly #log: PluginUtils['log'];

  constructor(serverless: Serverless, _options: unknown, { log }: PluginUtils) {
    this.#serverless = serverless;
    this.#log = log;
    const run = (): Promise<void> => this.#run();
    this.hooks = {
      'before:package:createDeploymentArtifacts': run,
      // Without this one, "deploy function" would upload the folder
      'before:deploy:function:packageFunction': async () => {
        this.#keepRoles();
        await run();
      },
    };
  }

  /** "deploy function" takes a role's id in the template for its name: the one that the function has stays. */
  #keepRoles(): void {
    for (const each of Object.values(this.#serverless.service.functions)) delete each.role;
  }

  async #run(): Promise<void> {
    const { bundleFunctions, BundleError, tableOf } = await import('./bundle.ts');
    const { functions } = this.#serverless.service;
    try {
      const bundles = await bundleFunctions(this.#serverless.serviceDir, functions);
      for (const { name, artifact } of bundles) (functions[name] ?? { package: {} }).package = { artifact };
      this.#log.notice(tableOf(bundles));
    } catch (error) {
      throw error instanceof BundleError ? new this.#serverless.classes.Error(error.message) : error;
    }
  }
}
