import { setTimeout as sleep } from 'node:timers/promises';
import { defineTask, implement, RejectTask, RetryTask, type TaskContext, taskEndSchema } from 'baton-tasks';
import { encodeEnvelope, Implementations } from 'baton-tasks/tooling';
import { currentAttempt, type RunningAttempt } from '../../src/run/running-attempt.ts';
import * as z from 'zod';
import type { MessagePlan, Step } from './history.ts';
import type { Ledger } from './ledger.ts';
import { never } from './never.ts';
import type { Run } from './run.ts';

const AT_ONCE: Step = { does: 'return', ms: 0 };

/** The untracked task of every history. */
export const work = defineTask({
  name: 'model.work',
  queue: 'work',
  payload: z.object({ of: z.int() }),
  result: z.object({}),
  retry: { maxAttempts: 3, baseSeconds: 1, capSeconds: 4 },
  timeoutSeconds: 20,
});

/** The listener that is told how the tracked tasks end. */
export const told = defineTask({
  ...work,
  name: 'model.told',
  payload: taskEndSchema,
  // Many, because crashes and releases of its own message may use attempts up
  retry: { ...work.retry, maxAttempts: 30 },
});

/** The tracked task, also used in chains. It returns its number plus one. */
export const tracked = defineTask({
  ...work,
  name: 'model.tracked',
  result: z.object({ of: z.int() }),
  tracked: true,
  onEnd: told,
});

/** The body of a planned message. All bodies differ. */
export function bodyOf({ is }: MessagePlan, taskId: string): string {
  if (is === 'malformed') return `malformed ${taskId}`;
  return encodeEnvelope({
    taskId,
    task: is === 'unknown' ? 'model.unknown' : work.name,
    source: 'model',
    time: '2026-11-24T00:00:00.000Z',
    trace: undefined,
    data: is === 'invalid' ? {} : { of: 1 },
  });
}

/** The effect of a handler on its process, and of the process on a handler. */
export interface ProcessControl {
  readonly kill: (taskId: string) => void;
  /** Resolves once the process is not paused; never if it has crashed. */
  readonly awake: () => Promise<void>;
}

/** Implements the tasks for one process: each run does the next planned step of its message. */
export function implementationsFor(
  process: string,
  nextStep: (taskId: string) => Step | undefined,
  ledger: Ledger,
  { kill, awake }: ProcessControl,
): Implementations {
  const run = async <Result>(
    context: TaskContext,
    doIt: (entry: Run) => Promise<Result>,
  ): Promise<Result> => {
    // A timer may still fire in a process that crashed while it waited for a response
    if (ledger.hasCrashed(process)) return never();
    const { taskId, attempt, signal } = context;
    const { name, receive } = currentAttempt() as RunningAttempt;
    const handle = `${name.messageId}#${receive}`;
    const entry = { process, taskId, attempt, signal, handle };
    ledger.begins(entry);
    let returned = false;
    try {
      const result = await doIt(entry);
      returned = true;
      return result;
    } finally {
      // A process that has crashed does nothing more
      if (!ledger.ends(entry, returned)) await never();
    }
  };
  const step = async (taskId: string, signal: AbortSignal): Promise<void> => {
    const next = nextStep(taskId) ?? AT_ONCE;
    await take(next, signal);
    await awake();
    if (next.does !== 'kill') return;
    kill(taskId);
    await never();
  };
  const doWork = implement(work, (_payload, context) =>
    run(context, async () => {
      await step(context.taskId, context.signal);
      return {};
    }),
  );
  const doTracked = implement(tracked, ({ of }, context) =>
    run(context, async (entry) => {
      const { taskId } = context;
      const effect = async (key: string): Promise<unknown> => {
        await context.effect(key, () => ledger.books.effectRuns(entry, key));
        return ledger.hasCrashed(process) ? never() : ledger.books.effectKept(taskId, key);
      };
      await awake();
      await effect('pay');
      await step(taskId, context.signal);
      // A handler that ignores its signal gets here long after its attempt has ended
      await effect('bill');
      return { of: of + 1 };
    }),
  );
  const beTold = implement(told, (end, context) =>
    run(context, async () => {
      ledger.books.told(end);
      return {};
    }),
  );
  return new Implementations([doWork, doTracked, beTold]);
}

async function take(step: Step, signal: AbortSignal): Promise<void> {
  switch (step.does) {
    case 'return':
    case 'kill':
      return sleep(step.ms, undefined, { signal });
    case 'throw':
      await sleep(step.ms, undefined, { signal });
      throw new Error('thrown by plan');
    case 'retry':
      throw new RetryTask('asked by plan', { delaySeconds: step.delaySeconds });
    case 'reject':
      throw new RejectTask('rejected by plan');
    case 'hang':
      return sleep(86_400_000, undefined, { signal });
    case 'ignore':
      return sleep(step.ms);
  }
}
