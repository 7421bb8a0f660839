import { setTimeout as sleep } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ForwardTask } from '../../send/task-continuation.ts';
import { eventually } from 'baton-dev/testing/eventually';
import type { TrackedTaskContext } from '../../task/implementation.ts';
import { defineTask } from '../../task/task.ts';
import { type TaskEnd, taskEndSchema } from '../../task/task-end.ts';
import { type Handler, TrackedWork, work, WORK_HASH } from './tracked-work.ts';
import * as z from 'zod';

const told = defineTask({
  ...work,
  onEnd: defineTask({
    name: 'tests.listening',
    queue: 'default',
    payload: taskEndSchema,
    result: z.object({}),
    retry: { maxAttempts: 8, baseSeconds: 5 },
    timeoutSeconds: 20,
  }),
});
const RACES = 24;
/** How long the mail server takes to answer. Meanwhile a cancellation is noticed: see `reporting`. */
const ANSWER_MS = 2500;

let tracked: TrackedWork;
beforeAll(async () => {
  tracked = await TrackedWork.start();
});
afterAll(() => tracked.stop());

/** A mail server. It has a mail as soon as `send` begins, and answers later. A sender that gives up hears no answer. */
class MailServer {
  readonly mails = new Set<string>();

  async send(id: string, answerMs: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.mails.add(id);
    await sleep(answerMs, undefined, { signal });
  }
}

/**
 * Reports progress while a handler runs. It is written once a second, and a write that is refused tells of a cancellation.
 * Renewals would tell too, but claims that are short enough for a test are lost on a busy machine.
 */
async function reporting(
  { progress }: Pick<TrackedTaskContext, 'progress'>,
  handler: () => Promise<unknown>,
): Promise<unknown> {
  const timer = setInterval(() => progress({ fraction: 0.5, message: String(performance.now()) }), 100);
  return handler().finally(() => clearInterval(timer));
}

/** Runs a task that sends a mail, and cancels it after a while. Resolves to the ends that its listener was told. */
async function race(server: MailServer, cancelAfterMs: number) {
  tracked.begin();
  const { taskId } = tracked;
  const ends: TaskEnd[] = [];
  const begins = Promise.withResolvers<void>();
  const forward: ForwardTask = async (_next, payload) => void ends.push(payload as TaskEnd);
  const mailing: Handler = (_payload, { effect, signal, progress }) =>
    reporting({ progress }, async () => {
      begins.resolve();
      await sleep(200, undefined, { signal });
      await effect('mail', () => server.send(taskId, ANSWER_MS, signal));
      await sleep(200, undefined, { signal });
      return { length: 1 };
    });
  const ran = tracked.run(mailing, { contract: told, forward });
  await begins.promise;
  await sleep(cancelAfterMs);
  const status = await tracked.store.cancel(taskId);
  await ran;
  return { taskId, ends, state: status?.state };
}

describe('a task that is cancelled at any time', () => {
  test('has told of each mail that left', async () => {
    const server = new MailServer();
    const races = await Promise.all(
      Array.from({ length: RACES }, (_, index) => race(server, (index * (ANSWER_MS + 400)) / RACES)),
    );
    const untold = races.filter(
      ({ taskId, ends, state }) =>
        server.mails.has(taskId) &&
        state === 'cancelled' &&
        !ends.some(({ effects }) => effects?.includes('mail')),
    );
    expect(untold).toEqual([]);
    const invented = races.filter(
      ({ taskId, ends }) => !server.mails.has(taskId) && ends.some(({ effects = [] }) => effects.length > 0),
    );
    expect(invented).toEqual([]);
    // Otherwise the race tests nothing
    expect(races.filter(({ state }) => state === 'cancelled').length).toBeGreaterThan(RACES / 3);
    expect(server.mails.size).toBeGreaterThan(RACES / 3);
  });
});

describe('a cancellation', () => {
  test('aborts the signal once the effect under way has ended, and no other effect begins meanwhile', async () => {
    tracked.begin();
    const { taskId } = tracked;
    const seen: unknown[] = [];
    const handler: Handler = (_payload, { effect, signal, progress }) =>
      reporting({ progress }, async () => {
        const mail = effect('mail', async () => {
          await tracked.store.cancel(taskId);
          const paying = () =>
            effect(`pay-${performance.now()}`, () => true).catch(({ name }: Error) => name);
          await eventually('no other effect begins', async () => (await paying()) === 'AttemptOverError');
          seen.push(signal.aborted);
        });
        await mail.catch(({ message }: Error) => seen.push(message));
        seen.push((signal.reason as Error).name);
        return { length: 1 };
      });
    await tracked.run(handler, { contract: told });
    expect(seen).toEqual([
      false,
      'The effect mail was kept, but the task was cancelled',
      'TaskCancelledError',
    ]);
    expect(tracked.told.at(-1)).toMatchObject({
      state: 'cancelled',
      effects: expect.arrayContaining(['mail']) as unknown,
    });
  });

  test('does not keep an effect from its time limit', async () => {
    tracked.begin();
    const { taskId } = tracked;
    const reasons: string[] = [];
    const hanging: Handler = async (_payload, { effect, signal }) => {
      await tracked.store.cancel(taskId);
      await effect('mail', () => sleep(5000, undefined, { signal })).catch(() => undefined);
      reasons.push((signal.reason as Error).name);
      return { length: 1 };
    };
    await tracked.run(hanging, { contract: { ...told, timeoutSeconds: 0.5 } });
    expect(reasons).toEqual(['TaskTimeoutError']);
  });
});

describe('an effect that ends after another worker has taken its task over', () => {
  /** Runs a task whose worker loses it during an effect. Meanwhile another worker does `other`. */
  async function takenOver(other: (held: { claimId: string; token: number }) => Promise<unknown>) {
    tracked.begin();
    const { taskId, store } = tracked;
    const thrown: string[] = [];
    const losing: Handler = async (_payload, { effect }) => {
      await effect('mail', async () => {
        const { claimId = '', token = 0 } = (await store.read(taskId)) ?? {};
        await store.attempts.conclude({ taskId, claimId, token }, { state: 'retrying' });
        const claim = {
          taskId,
          task: work.name,
          queue: 'default',
          owner: 'w-2',
          leaseSeconds: 30,
          payloadHash: WORK_HASH,
        };
        const row = await store.attempts.claim({ ...claim, claimId: randomUUID() });
        await other({ claimId: row?.claimId ?? '', token: row?.token ?? 0 });
        return 'sent';
      }).catch(({ message }: Error) => thrown.push(message));
      return { length: 1 };
    };
    await tracked.run(losing, { contract: told });
    return { thrown, row: await store.read(taskId) };
  }

  test('is kept, and changes nothing else', async () => {
    const { thrown, row } = await takenOver(async () => undefined);
    expect(thrown).toEqual(['The effect mail was kept, but another attempt has the task']);
    expect(row).toMatchObject({ state: 'running', owner: 'w-2', effects: { mail: '"sent"' } });
  });

  test('is kept if the task has ended by then, and its listeners are told', async () => {
    const { row } = await takenOver(async (held) =>
      tracked.store.attempts.conclude(
        { taskId: tracked.taskId, ...held },
        { state: 'failed', error: { name: 'RejectTask', message: 'no' } },
      ),
    );
    expect(row).toMatchObject({ state: 'failed', effects: { mail: '"sent"' } });
    expect(tracked.told).toMatchObject([{ state: 'failed', token: 2, effects: ['mail'] }]);
  });

  test('does not replace the result that the other attempt has kept', async () => {
    const { row } = await takenOver(async (held) =>
      tracked.store.attempts.keepEffect({ taskId: tracked.taskId, ...held }, 'mail', '"sent again"'),
    );
    expect(row?.effects).toEqual({ mail: '"sent again"' });
  });
});
