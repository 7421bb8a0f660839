declare module 'serverless-offline' {
  import type { Offline, OfflineOptions, PluginUtils, Serverless } from '../serverless.ts';

  /** The serverless plugin of that name. */
  export default class ServerlessOffline implements Offline {
    constructor(serverless: Serverless, options: OfflineOptions, utils: PluginUtils);
    readonly commands: Offline['commands'];
    start(): Promise<void>;
    end(skipExit: boolean): Promise<void>;
  }
}
