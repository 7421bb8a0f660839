import { ConfigError } from 'baton-tasks/service';
import { exitProcess, exitWithin } from 'baton-tasks/tooling';
import ServerlessOffline, { type OfflineCommands, type OfflineOptions } from 'serverless-offline';
import { readLocalConfig } from './config.ts';
import { LocalRuntime } from './runtime.ts';
import type { PluginUtils, Serverless } from '../stack/serverless.ts';

const HOSTILE = {
  type: 'boolean',
  usage:
    'Have the embedded SQS deliver some messages twice and give fewer a receive than there are. Default: false.',
};

/** How soon the end of npm is noticed. */
const LOOK_EVERY_MS = 500;

/**
 * The serverless plugin behind `serverless offline`: emulators, queues, tables, the services' functions and a worker,
 * in one process. The functions are run by serverless-offline, which this plugin holds inside, so that everything
 * starts in order and stops in order. For every other command it does nothing.
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
      // A signal ends a start that is still under way, too
      await Promise.race([runtime.start(config), signal]);
    } catch (error) {
      await runtime.stop();
      throw this.#explained(error);
    }
    await signal;
    exitWithin(runtime.stopLimitMs, () =>
      process.stderr.write('Not stopped in time: the process is ended\n'),
    );
    await runtime.stop();
    return exitProcess(0);
  }

  /** Serverless shows the message alone of its own errors, a stack of all others. */
  #explained(error: unknown): unknown {
    const known = error instanceof ConfigError || (Error.isError(error) && error.name === 'Error');
    return known ? new this.#serverless.classes.Error((error as Error).message) : error;
  }
}

/**
 * Has serverless.yml not checked against the schema of Serverless: code of 8 MB, which takes 0.4 s to load, and 2 s to
 * make when there is none yet. What is wrong would be a warning; `package` and `deploy` give it.
 */
function skipSchema({ configSchemaHandler }: Serverless): void {
  configSchemaHandler.validateConfig = async () => undefined;
}

/** serverless-offline says every route and every invocation; the services' own log lines say it better. */
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
