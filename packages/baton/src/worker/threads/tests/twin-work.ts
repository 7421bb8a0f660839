import type { EffectResult, KnownEffect } from '../../../run/effects.ts';
import { RejectTask } from '../../../task/errors.ts';
import { cutProgress } from '../../../task/progress.ts';
import type { Outcome } from '../../../task/outcome.ts';
import { processMessage } from '../../../run/process-message.ts';
import type { TaskContract } from '../../../task/task.ts';
import type { Claim } from '../../../run/task-tracker.ts';
import type { Progress } from '../../../task/progress.ts';
import { fromJson } from '../../../task/json-value.ts';
import { createLogger } from '../../../telemetry/logger.ts';
import { Implementations } from '../../../task/implementation.ts';
import { here, inThread, threadTwins, twinsHere } from '../../../../tests/support/twins.ts';
import { ThreadPool } from '../thread-pool.ts';
import { messageBody, receivedMessage } from '../../../../tests/support/messages.ts';

/** Runs one task in a thread of a pool, or on the event loop of the tests. */
export class TwinWork {
  readonly lines: Record<string, unknown>[] = [];
  /** The kept results of its effects, as JSON. */
  readonly kept = new Map<string, string>();
  readonly progress: Progress[] = [];
  readonly pool: ThreadPool;
  readonly #logger = createLogger({
    service: 'tests',
    to: { write: (line) => void this.lines.push(JSON.parse(line) as Record<string, unknown>) },
  });

  /** @param threads - how many tasks of the pool may run at a time */
  constructor(threads = 1) {
    const entry = new URL(import.meta.resolve('../../../../tests/support/twin-thread.ts'));
    const sender = { queueUrlPrefix: 'http://127.0.0.1:9/baton-', source: 'tests' };
    this.pool = new ThreadPool({ entry, threads, sender, logger: this.#logger });
  }

  /** The log lines with this message. */
  saying(message: string): Record<string, unknown>[] {
    return this.lines.filter((line) => String(line['message']).includes(message));
  }

  /** Forgets all lines, effects and progress. */
  begin(): void {
    this.lines.length = 0;
    this.kept.clear();
    this.progress.length = 0;
  }

  /** Runs the task in a thread. */
  inThread(how: string, what?: string, contract: TaskContract = inThread): Promise<Outcome> {
    return this.#run(contract, how, what);
  }

  /** Runs the task on the event loop. */
  here(how: string, what?: string): Promise<Outcome> {
    return this.#run(here, how, what);
  }

  #run(contract: TaskContract, how: string, what: string | undefined): Promise<Outcome> {
    const taskId = idOf(how);
    const data = { how, ...(what !== undefined && { what }) };
    const body = messageBody({ taskId, task: contract.name, data });
    const message = receivedMessage({ messageId: taskId, body });
    const signal = new AbortController().signal;
    return processMessage(
      message,
      'default',
      { signal, outlivedBy: () => undefined },
      {
        implementations: contract === here ? twinsHere : new Implementations(threadTwins),
        threads: this.pool,
        tracker: {
          claim: async () => this.#claim(signal),
          giveUp: async (_given, outcome) => outcome,
          now: async () => Date.now(),
        },
        send: async () => ({ taskId: 'sent' }) as never,
        logger: this.#logger,
        worker: { id: 'w-1', version: '1' },
        unknownTaskPatienceSeconds: 600,
        abortGraceSeconds: 0.3,
      },
    );
  }

  #keep(key: string, result: EffectResult): void {
    if ('notJson' in result) throw new RejectTask(`${key} is not JSON: ${result.notJson}`);
    this.kept.set(key, result.json);
  }

  #claim(signal: AbortSignal): Claim {
    const find = async (key: string): Promise<KnownEffect> => {
      const json = this.kept.get(key);
      return json === undefined ? undefined : { result: fromJson(json) };
    };
    return {
      attempt: 1,
      token: 3,
      crashes: 0,
      suspect: false,
      signal,
      begins: async () => undefined,
      begin: async () => undefined,
      find,
      keep: async (key, result) => this.#keep(key, result),
      progress: (progress) => void this.progress.push(cutProgress(progress)),
      conclude: async (outcome) => outcome,
    };
  }
}

/** The id of the task with this instruction. */
export const idOf = (how: string): string => how.replaceAll(' ', '-');
