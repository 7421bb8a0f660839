import type { Resources } from './template.ts';

/** What the plugins here use of serverless (osls 4), which publishes no types. */
export interface Serverless {
  /** The folder of serverless.yml. */
  readonly serviceDir: string;
  readonly service: {
    readonly functions: Record<string, PackagedFunction>;
    readonly resources?: { readonly Resources?: Resources };
  };
  /** Its name for this run of it, by which it calls a REST API's deployment. */
  instanceId: string;
  readonly pluginManager: { readonly plugins: { checkIfEcrRepositoryExists?: () => Promise<boolean> }[] };
  /** An error whose message alone is shown. */
  readonly classes: { readonly Error: new (message: string) => Error };
}

/** A function as it is packaged. */
export interface PackagedFunction {
  /** A module's path without its ending, and the name of what it exports: `worker/lambda.handler`. */
  readonly handler: string;
  role?: unknown;
  /** Where the ZIP file is that is uploaded, from the folder of serverless.yml. */
  package?: { artifact?: string };
}

/** What serverless gives its plugins to say things with. */
export interface PluginUtils {
  readonly log: { notice(text: string): void };
}
