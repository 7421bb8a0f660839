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

describe('an effect in a thread that ends after its attempt is over', () => {
  test('is kept', async () => {
    await expect(work.inThread('fails beside an effect')).resolves.toMatchObject({
      error: { message: '451' },
    });
    expect(work.kept.size).toBe(0);
    await eventually('what it gave', () => work.kept.get('pay') === '"receipt"');
  });

  test('is kept while the next task burns CPU', async () => {
    await work.inThread('fails beside an effect');
    const burning = work.inThread('burns').then(() => 'burnt');
    const kept = eventually('what it gave', () => work.kept.size > 0).then(() => 'kept');
    await expect(Promise.race([burning, kept])).resolves.toBe('kept');
    await burning;
  });

  test('is kept past its time limit and grace; then its thread is terminated', async () => {
    // A new thread takes a moment, which counts towards the time limit
    await work.inThread('rests');
    const running = work.inThread('has a slow effect', '', inThreadBriefly);
    await expect(running).resolves.toMatchObject({ error: { name: 'TaskTimeoutError' } });
    await eventually('what it gave', () => work.kept.get('pay') === '"receipt"');
    // Its handler burns CPU from there on
    await work.pool.close();
  });

  test('keeps its thread from nobody: as many more tasks run at one time as before', async () => {
    for (let each = 0; each < 4; each += 1) await work.inThread('leaves an effect for ever');
    await expect(work.inThread('rests')).resolves.toMatchObject({ kind: 'done' });
  });

  test('does not begin, and nor does a send, and both say why', async () => {
    await work.inThread('uses an effect that is over');
    const refused = await eventually('two refusals', () => {
      const lines = work.saying('refused');
      return lines.length === 2 && lines;
    });
    expect(refused).toMatchObject(refused.map(() => ({ over: 'AttemptOverError', task: 'tests.twin' })));
    expect(work.kept.size).toBe(0);
  });
});

describe('what a task leaves in its thread', () => {
  test.each([
    ['a throw', 'TypeError: unreadable'],
    ['a rejection', 'TypeError: unreadable'],
    ['an exit', 'process.exit(4)'],
  ])('%s: the next task there goes on, and the log names the first', async (what, says) => {
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

  test('an end of the thread that nobody can be blamed for: the next task there runs again in another', async () => {
    const first = await work.inThread('leaves a deadly exit');
    const next = await work.inThread('rests');
    expect(next).toMatchObject({ kind: 'done' });
    expect(threadOf(next)).not.toBe(threadOf(first));
    expect(work.saying('its thread ended')).toMatchObject([{ taskId: 'rests', level: 'warn' }]);
  });
});

test('an effect in doubt, because its thread died, is asked for when its handler runs again', async () => {
  await work.inThread('rests');
  await expect(work.inThread('dies in an effect')).resolves.toMatchObject({
    kind: 'done',
    result: { got: 'found' },
  });
  expect(work.saying('paid')).toHaveLength(1);
});

describe('harm that a handler does to its thread fails its own attempt, and the thread goes on,', () => {
  test.each([
    ['exits', { name: 'ProcessEndError' }],
    ['aborts', { name: 'ProcessEndError' }],
    ['leaves a rejection as it returns', stray],
  ])('when it %s', async (how, error) => {
    const before = await work.inThread('rests');
    await expect(work.inThread(how)).resolves.toMatchObject({ kind: 'retry', error });
    const after = await work.inThread('rests');
    expect([before, after]).toMatchObject([{ kind: 'done' }, { kind: 'done' }]);
    expect(threadOf(after)).toBe(threadOf(before));
  });

  test('when it throws where nobody waits, and does not end: its thread is terminated', async () => {
    await expect(work.inThread('throws where nobody waits')).resolves.toMatchObject({ error: stray });
    await expect(work.inThread('rests')).resolves.toMatchObject({ kind: 'done' });
  });

  test('when a listener to its signal throws', async () => {
    await work.inThread('rests');
    const running = work.inThread('throws as its signal aborts', '', inThreadBriefly);
    await expect(running).resolves.toMatchObject({ error: { name: 'TaskTimeoutError' } });
    expect(work.saying('uncaught error of tests')).toMatchObject([{ task: inThreadBriefly.name }]);
  });

  test('and its thread only, when it ends that by force', async () => {
    await work.inThread('rests');
    await expect(work.inThread('exits in earnest')).resolves.toMatchObject({
      kind: 'retry',
      error: { name: 'ThreadEndedError', message: expect.stringContaining('exited with code: 3') as unknown },
    });
    expect(work.saying('its thread ended')).toHaveLength(1);
  });
});

describe('an uncaught error in a thread that belongs to no task', () => {
  test.each([
    ['throws elsewhere', 'unreadable'],
    ['exits elsewhere', 'Code outside of tasks called process.exit(5)'],
  ])('ends the thread, once the task there is done: %s', async (how, says) => {
    const first = await work.inThread(how);
    expect(first).toMatchObject({ kind: 'done' });
    expect(work.saying('belongs to no task')).toMatchObject([
      { level: 'error', error: { message: expect.stringContaining(says) as unknown } },
    ]);
    const next = await work.inThread('rests');
    expect(next).toMatchObject({ kind: 'done' });
    expect(threadOf(next)).not.toBe(threadOf(first));
  });

  test('costs no task an attempt that comes just then', async () => {
    for (let each = 0; each < 5; each += 1) {
      await work.inThread('throws elsewhere');
      await sleep(each);
      await expect(work.inThread('rests')).resolves.toMatchObject({ kind: 'done' });
    }
  });
});
