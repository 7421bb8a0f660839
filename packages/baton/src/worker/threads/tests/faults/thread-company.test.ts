import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Outcome } from '../../../../task/outcome.ts';
import { eventually } from 'baton-dev/testing/eventually';
import { inThreadBriefly } from '../../../../../tests/support/twins.ts';
import { idOf, TwinWork } from '../twin-work.ts';

let work: TwinWork;
beforeEach(() => {
  work = new TwinWork();
});
afterEach(() => work.pool.close());

const threadOf = (outcome: Outcome): unknown =>
  (outcome as { result?: { threadId?: unknown } }).result?.threadId;
const stray = { name: 'StrayError', message: expect.stringContaining('unreadable') as unknown };

describe('an effect in a thread, if it ends after its attempt,', () => {
  test('is kept', async () => {
    await expect(work.inThread('fails beside an effect')).resolves.toMatchObject({
      error: { message: '451' },
    });
    expect(work.kept.size).toBe(0);
    await eventually('the kept result', () => work.kept.get('pay') === '"receipt"');
  });

  test('is kept while the next task burns CPU', async () => {
    await work.inThread('fails beside an effect');
    const burning = work.inThread('burns').then(() => 'burnt');
    const kept = eventually('the kept result', () => work.kept.size > 0).then(() => 'kept');
    await expect(Promise.race([burning, kept])).resolves.toBe('kept');
    await burning;
  });

  test('is kept after the time limit and the abort grace; then its thread is terminated', async () => {
    // The start of a new thread takes some time, which counts towards the time limit
    await work.inThread('rests');
    const running = work.inThread('has a slow effect', '', inThreadBriefly);
    await expect(running).resolves.toMatchObject({ error: { name: 'TaskTimeoutError' } });
    await eventually('the kept result', () => work.kept.get('pay') === '"receipt"');
    // From now on its handler burns CPU
    await work.pool.close();
  });

  test('does not occupy its thread: as many other tasks run at a time as before', async () => {
    for (let each = 0; each < 4; each += 1) await work.inThread('leaves an effect for ever');
    await expect(work.inThread('rests')).resolves.toMatchObject({ kind: 'done' });
  });

  test('does not start if it comes after the attempt, and a send does not either', async () => {
    await work.inThread('uses an effect that is over');
    const refused = await eventually('two refusals', () => {
      const lines = work.saying('refused');
      return lines.length === 2 && lines;
    });
    expect(refused).toMatchObject(refused.map(() => ({ over: 'AttemptOverError', task: 'tests.twin' })));
    expect(work.kept.size).toBe(0);
  });
});

describe('code that a task leaves running in its thread', () => {
  test.each([
    ['a throw', 'TypeError: unreadable'],
    ['a rejection', 'TypeError: unreadable'],
    ['an exit', 'process.exit(4)'],
  ])('does not harm the next task, and the log names the first task: %s', async (what, says) => {
    const first = await work.inThread(`leaves ${what}`);
    const next = await work.inThread('rests');
    expect(next).toMatchObject({ kind: 'done' });
    expect(threadOf(next)).toBe(threadOf(first));
    const [line, ...more] = await eventually('a line', () => {
      const lines = work.saying('the outcome of its attempt was already decided');
      return lines.length > 0 && lines;
    });
    expect(line).toMatchObject({
      level: 'error',
      service: 'tests',
      task: 'tests.twin',
      taskId: idOf(`leaves ${what}`),
      attempt: 1,
      error: { message: expect.stringContaining(says) as unknown },
    });
    expect(more).toEqual([]);
  });

  test('can end the thread without a known cause; the next task there runs again in another thread', async () => {
    const first = await work.inThread('leaves a deadly exit');
    const next = await work.inThread('rests');
    expect(next).toMatchObject({ kind: 'done' });
    expect(threadOf(next)).not.toBe(threadOf(first));
    expect(work.saying('its thread ended')).toMatchObject([{ taskId: 'rests', level: 'warn' }]);
  });
});

test('inDoubt is called for an effect whose thread died when the handler runs again', async () => {
  await work.inThread('rests');
  await expect(work.inThread('dies in an effect')).resolves.toMatchObject({
    kind: 'done',
    result: { got: 'found' },
  });
  expect(work.saying('paid')).toHaveLength(1);
});

describe('a handler that harms its thread fails, and the thread runs the next task,', () => {
  test.each([
    ['exits', { name: 'ProcessEndError' }],
    ['aborts', { name: 'ProcessEndError' }],
    ['leaves a rejection as it returns', stray],
  ])('if it %s', async (how, error) => {
    const before = await work.inThread('rests');
    await expect(work.inThread(how)).resolves.toMatchObject({ kind: 'retry', error });
    const after = await work.inThread('rests');
    expect([before, after]).toMatchObject([{ kind: 'done' }, { kind: 'done' }]);
    expect(threadOf(after)).toBe(threadOf(before));
  });

  test('except that its thread is terminated if it has an uncaught error and does not end', async () => {
    await expect(work.inThread('throws where nobody waits')).resolves.toMatchObject({ error: stray });
    await expect(work.inThread('rests')).resolves.toMatchObject({ kind: 'done' });
  });

  test('if a listener to its signal throws', async () => {
    await work.inThread('rests');
    const running = work.inThread('throws as its signal aborts', '', inThreadBriefly);
    await expect(running).resolves.toMatchObject({ error: { name: 'TaskTimeoutError' } });
    expect(work.saying('uncaught error of tests')).toMatchObject([{ task: inThreadBriefly.name }]);
  });

  test('except that its thread ends, and no other one, if the handler ends it by force', async () => {
    await work.inThread('rests');
    await expect(work.inThread('exits in earnest')).resolves.toMatchObject({
      kind: 'retry',
      error: { name: 'ThreadEndedError', message: expect.stringContaining('exited with code: 3') as unknown },
    });
    expect(work.saying('its thread ended')).toHaveLength(1);
  });
});

describe('an uncaught error of no task in a thread', () => {
  test.each([
    ['throws elsewhere', 'unreadable'],
    ['exits elsewhere', 'Code outside of tasks called process.exit(5)'],
  ])('ends the thread once the task there is done, if code %s', async (how, says) => {
    const first = await work.inThread(how);
    expect(first).toMatchObject({ kind: 'done' });
    expect(work.saying('belongs to no task')).toMatchObject([
      { level: 'error', error: { message: expect.stringContaining(says) as unknown } },
    ]);
    const next = await work.inThread('rests');
    expect(next).toMatchObject({ kind: 'done' });
    expect(threadOf(next)).not.toBe(threadOf(first));
  });

  test('costs no attempt of a task that arrives at the same moment', async () => {
    for (let each = 0; each < 5; each += 1) {
      await work.inThread('throws elsewhere');
      await sleep(each);
      await expect(work.inThread('rests')).resolves.toMatchObject({ kind: 'done' });
    }
  });
});
