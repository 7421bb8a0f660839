import { setTimeout as sleep } from 'node:timers/promises';
import { encodeEnvelope } from '@baton/common/queue/envelope';
import { RejectTask, RetryTask } from '@baton/common/queue/errors';
import { implement, Implementations, type TaskContext } from '@baton/common/queue/implementation';
import { defineTask } from '@baton/common/queue/task';
import { z } from 'zod';
import type { MessagePlan, Step } from './history.ts';
import type { Ledger } from './ledger.ts';
import { never } from './never.ts';

const AT_ONCE: Step = { does: 'return', ms: 0 };

/** The task of every history. */
export const work = defineTask({
  name: 'model.work',
  queue: 'work',
  payload: z.object({ of: z.int() }),
  result: z.object({}),
  retry: { maxAttempts: 3, baseSeconds: 1, capSeconds: 4 },
  timeoutSeconds: 20,
});

/** The body of a planned message; no two are the same. */
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

/** Implements the task for one process: each run does the next step that its message has planned. */
export function implementationsFor(
  process: string,
  nextStep: (taskId: string) => Step | undefined,
  ledger: Ledger,
): Implementations {
  const run = async (context: TaskContext): Promise<Record<string, never>> => {
    const { taskId, attempt, signal } = context;
    const entry = { process, taskId, attempt, signal };
    ledger.begins(entry);
    let returned = false;
    try {
      await take(nextStep(taskId) ?? AT_ONCE, signal);
      returned = true;
      return {};
    } finally {
      // A process that crashed in the meantime does nothing any more
      if (!ledger.ends(entry, returned)) await never();
    }
  };
  return new Implementations([implement(work, (_payload, context) => run(context))]);
}

async function take(step: Step, signal: AbortSignal): Promise<void> {
  switch (step.does) {
    case 'return':
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
