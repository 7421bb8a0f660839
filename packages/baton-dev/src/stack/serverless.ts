// Serverless: its types, and its default that serverless.yml sets.
import type { FunctionEvent } from './part.ts';
import type { Resources } from './resources.ts';

/** The time limit of a function without a `timeout`, in seconds, as in serverless.yml. */
export const DEFAULT_TIMEOUT_SECONDS = 29;

/** What a resource that Serverless generates has in addition: properties, and resources that are made before it. */
export interface Extension {
  readonly Properties: Readonly<Record<string, unknown>>;
  readonly DependsOn?: readonly string[];
}

/** The members of Serverless (osls 4) that plugins and the stack use. It publishes no types. */
export interface Serverless {
  /** The folder of serverless.yml. */
  readonly serviceDir: string;
  readonly service: {
    readonly provider: { stage: string; region: string; environment?: Record<string, unknown> };
    readonly functions: Record<string, FunctionDefinition>;
    readonly resources?: {
      readonly Resources?: Resources;
      readonly extensions?: Record<string, Extension>;
    };
  };
  /** Its parts for a cloud: `aws`. `naming` makes the logical ids of what it generates. */
  readonly getProvider: (name: 'aws') => {
    readonly naming: { readonly getHttpApiRouteLogicalId: (routeKey: string) => string };
  };
  /** The command line: `commands` is `['offline']`, or `['offline', 'start']`. */
  readonly processedInput: { readonly commands: readonly string[] };
  readonly configSchemaHandler: { validateConfig: (userConfig: object) => Promise<void> };
  /** The name of this run of Serverless, by which it calls a REST API's deployment. */
  instanceId: string;
  readonly pluginManager: { readonly plugins: { checkIfEcrRepositoryExists?: () => Promise<boolean> }[] };
  /** An error that Serverless shows without its stack. */
  readonly classes: { readonly Error: new (message: string) => Error };
}

/** A function in Serverless, once it has read serverless.yml. */
export interface FunctionDefinition {
  /** Its whole name, such as `baton-dev-paymentsServiceApi`. */
  name: string;
  /** A module's path without its ending, and the name of its export: `worker/lambda.handler`. */
  handler: string;
  environment?: Record<string, unknown>;
  events: FunctionEvent[];
  role?: unknown;
  /** The path of the uploaded ZIP file, from the folder of serverless.yml. */
  package?: { artifact?: string };
}

/** Resolves variables for a file that serverless.yml names: `resolveVariable('sls:stage')`. */
export interface VariableSources {
  readonly resolveVariable: (variable: string) => Promise<unknown>;
}

/** The outputs that Serverless gives its plugins. */
export interface PluginUtils {
  readonly log: Readonly<
    Record<'debug' | 'verbose' | 'info' | 'notice' | 'warning' | 'error', (...words: unknown[]) => void>
  >;
  readonly progress: unknown;
}
