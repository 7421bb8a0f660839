// The Serverless plugin of the embedded runtime.
import { ConfigError } from 'baton-tasks/service';
import { exitProcess, exitWithin } from 'baton-tasks/tooling/processes';
import ServerlessOffline, { type OfflineCommands, type OfflineOptions } from 'serverless-offline';
import { readLocalConfig } from './config.ts';
import { LocalRuntime } from './runtime.ts';
import type { PluginUtils, Serverless } from '../stack/serverless.ts';
import { printError } from '../terminal/print.ts';
import { printableLines } from '../terminal/printable.ts';

const HOSTILE = {
  type: 'boolean',
  usage:
    'Let the embedded SQS deliver some messages twice, and fewer messages a request than there are. Default: false.',
};

/** How soon the end of npm is noticed. */
const LOOK_EVERY_MS = 500;

/**
 * The Serverless plugin behind `serverless offline`: emulators, queues, tables, the services' functions and a worker, in one
 * process. It contains the plugin serverless-offline, which runs the functions, so that everything starts and stops in
 * order. For other commands it does nothing.
 */
export default class LocalRuntimePlugin {
  readonly commands: OfflineCommands;
  readonly hooks: Readonly<Record<string, () => Promise<void>>>;
  readonly #serverless: Serverless;
  readonly #options: OfflineOptions;
  readonly #offline: ServerlessOffline;

  constructor(serverless: Serverless, options: OfflineOptions, utils: PluginUtils) {
    this.#serverless = serverless;
    this.#options = options;
    this.#offline = new ServerlessOffline(serverless, options, withoutNotices(utils));
    this.commands = withHostile(this.#offline.commands);
    if (serverless.processedInput.commands[0] === 'offline') skipSchema(serverless);
    const run = (): Promise<void> => this.#run();
    this.hooks = { 'offline:start': run, 'offline:start:init': run };
  }

  async #run(): Promise<never> {
    const signal = askedToStop();
    const runtime = new LocalRuntime(this.#serverless, this.#offline, this.#options);
    try {
      const config = readLocalConfig({ ...process.env, ...variablesOf(this.#options) });
      // A signal also ends a start that is under way
      await Promise.race([runtime.start(config), signal]);
    } catch (error) {
      await runtime.stop();
      throw this.#explained(error);
    }
    await signal;
    exitWithin(runtime.stopLimitMs, () => printError('Not stopped in time: the process is ended\n'));
    await runtime.stop();
    return exitProcess(0);
  }

  /** Turns errors of the configuration into Serverless's own, because it shows a stack for all others. */
  #explained(error: unknown): unknown {
    const known = error instanceof ConfigError || (Error.isError(error) && error.name === 'Error');
    return known ? new this.#serverless.classes.Error(printableLines((error as Error).message)) : error;
  }
}

/**
 * Skips the check of serverless.yml against Serverless's schema. Its code has 8 MB and takes 0.4 s to load, and 2 s to
 * generate the first time. `package` and `deploy` still check.
 */
function skipSchema({ configSchemaHandler }: Serverless): void {
  configSchemaHandler.validateConfig = async () => undefined;
}

/** Silences serverless-offline's lines about routes and invocations. The services' own log lines are better. */
function withoutNotices({ log, progress }: PluginUtils): PluginUtils {
  const silent = (): void => undefined;
  return {
    log: {
      debug: silent,
      verbose: silent,
      info: silent,
      notice: silent,
      warning: (...words) => log.warning(...words),
      error: (...words) => log.error(...words),
    },
    progress,
  };
}

/** The commands of serverless-offline with an option of this runtime. */
function withHostile(commands: OfflineCommands): OfflineCommands {
  const { offline } = commands;
  const { start } = offline.commands;
  const options = { ...offline.options, hostile: HOSTILE };
  const startOptions = { ...start.options, hostile: HOSTILE };
  const withStart = { ...offline.commands, start: { ...start, options: startOptions } };
  return { ...commands, offline: { ...offline, options, commands: withStart } };
}

/** Options of the command line win over the variables. */
function variablesOf({ httpPort, lambdaPort, hostile }: OfflineOptions): Record<string, string> {
  return {
    ...(httpPort !== undefined && { HTTP_PORT: String(httpPort) }),
    ...(lambdaPort !== undefined && { LAMBDA_PORT: String(lambdaPort) }),
    ...(hostile && { SQS_HOSTILE: 'true' }),
  };
}

/**
 * Resolves when the process is asked to stop. npm passes signals only to the shell that it runs a script with: so the end
 * of that shell counts as a signal.
 */
function askedToStop(): Promise<unknown> {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  process.once('SIGINT', resolve).once('SIGTERM', resolve);
  const { ppid: shell } = process;
  const isLeft = (): boolean => process.ppid !== shell;
  if (process.env['npm_lifecycle_event']) setInterval(() => isLeft() && resolve(''), LOOK_EVERY_MS).unref();
  return promise;
}
