/** What this runtime uses of serverless (osls 4), which publishes no types. */
export interface Serverless {
  /** The folder of serverless.yml. */
  readonly serviceDir: string;
  readonly service: {
    readonly provider: { stage: string; region: string; environment?: Record<string, unknown> };
    readonly functions: Record<string, FunctionDefinition>;
    readonly resources?: { readonly Resources?: Readonly<Record<string, unknown>> };
  };
  /** The command line: `commands` is `['offline']`, or `['offline', 'start']`. */
  readonly processedInput: { readonly commands: readonly string[] };
  readonly configSchemaHandler: { validateConfig: (userConfig: object) => Promise<void> };
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

/** What serverless gives its plugins to say things with. */
export interface PluginUtils {
  readonly log: Readonly<
    Record<'debug' | 'verbose' | 'info' | 'notice' | 'warning' | 'error', (...words: unknown[]) => void>
  >;
  readonly progress: unknown;
}

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

/** What this runtime uses of serverless-offline 14, which publishes no types either. */
export interface Offline {
  readonly commands: {
    readonly offline: Command & { readonly commands: { readonly start: Command } };
  };
  start(): Promise<void>;
  end(skipExit: boolean): Promise<void>;
}
