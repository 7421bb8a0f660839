// The Serverless plugin that bundles functions.
import type { PluginUtils, Serverless } from '../stack/serverless.ts';
import { printableLines } from '../terminal/printable.ts';

/**
 * The Serverless plugin that makes a small bundle of each function, in place of a ZIP file of the whole folder. The ZIP
 * files are in `.serverless`, where Serverless detects that nothing has changed. Other commands do not load it.
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
      // Without this hook, "deploy function" would upload the folder
      'before:deploy:function:packageFunction': async () => {
        this.#keepRoles();
        await run();
      },
    };
  }

  /** Keeps the role of a function at "deploy function", which would take the role's logical id for its name. */
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
      throw error instanceof BundleError
        ? new this.#serverless.classes.Error(printableLines(error.message))
        : error;
    }
  }
}
