declare module 'serverless-offline' {
  import type { PluginUtils, Serverless } from '../../stack/serverless.ts';

  /** The options of the command line, and what serverless-offline reads of them. */
  export interface OfflineOptions {
    httpPort?: string | number;
    lambdaPort?: string | number;
    host?: string;
    noSponsor?: boolean;
    noTimeout?: boolean;
    useInProcess?: boolean;
    /** Whether the embedded SQS is hostile; an option of this runtime. */
    hostile?: boolean;
  }

  /** A command of serverless, with its options. */
  interface Command {
    readonly options?: object;
  }

  /** The commands of serverless-offline. */
  export interface OfflineCommands {
    readonly offline: Command & { readonly commands: { readonly start: Command } };
  }

  /** The serverless plugin of that name (serverless-offline 14, which publishes no types). */
  export default class ServerlessOffline {
    constructor(serverless: Serverless, options: OfflineOptions, utils: PluginUtils);
    readonly commands: OfflineCommands;
    start(): Promise<void>;
    end(skipExit: boolean): Promise<void>;
  }
}
