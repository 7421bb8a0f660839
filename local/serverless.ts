/** What this runtime uses of serverless (osls 4), which publishes no types. */
export interface Serverless {
  readonly service: {
    readonly provider: { stage: string; region: string; environment?: Record<string, unknown> };
    readonly functions: Record<string, FunctionDefinition>;
    readonly resources?: { readonly Resources?: Readonly<Record<string, unknown>> };
  };
  readonly pluginManager: { readonly plugins: readonly unknown[] };
  /** An error whose message alone is shown. */
  readonly classes: { readonly Error: new (message: string) => Error };
}

/** A function as serverless.yml has it. */
export interface FunctionDefinition {
  name: string;
  handler: string;
  environment?: Record<string, unknown>;
  events: unknown[];
}

/** What this runtime uses of serverless-offline 14. */
export interface Offline {
  start(): Promise<void>;
  end(skipExit: boolean): Promise<void>;
}

/** The options of the command line, and what serverless-offline reads of them. */
export interface OfflineOptions {
  httpPort?: string | number;
  lambdaPort?: string | number;
  host?: string;
  noSponsor?: boolean;
  noTimeout?: boolean;
  useInProcess?: boolean;
}

/** The plugin of serverless-offline among those that are loaded. */
export function offlineOf({ pluginManager }: Serverless): Offline {
  const offline = pluginManager.plugins.find((plugin) => plugin?.constructor.name === 'ServerlessOffline');
  if (!offline) throw new Error('serverless.yml does not list the plugin serverless-offline');
  return offline as Offline;
}
