import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from '@jest/globals';
import { eventually } from 'baton-dev/testing/eventually';
import { CannotError, type Contender } from '../contender.ts';
import { ContenderProcess } from '../contender-process.ts';
import type { Progress, Settings } from '../protocol.ts';

const PROTOCOL = new URL('../protocol.ts', import.meta.url).href;
const WITHIN_MS = 10_000;
const IMPORTS = `import { cannot, jobs, ready, sendAll, settings, Work } from '${PROTOCOL}';`;

const interrupt = new AbortController();
const started: ContenderProcess[] = [];
afterEach(() => Promise.all(started.splice(0).map((each) => each.kill())));

/** A contender whose program is this module text. */
function contender(text: string): Contender {
  const command = [process.execPath, '--input-type=module', '-e', `${IMPORTS}\n${text}`] as const;
  return { name: 'sample', version: '1', command, queues: 'sqs', drainConcurrency: 1, sends: 'tens' };
}

function start(
  text: string,
  settings: Partial<Settings> = {},
  others: { readonly signal?: AbortSignal; readonly onProgress?: (line: Progress) => void } = {},
): ContenderProcess {
  const all = { role: 'work', queueUrls: [], ...settings } as const;
  const program = new ContenderProcess(contender(text), {
    settings: all,
    environment: {},
    signal: interrupt.signal,
    ...others,
  });
  started.push(program);
  return program;
}

const WORK = 'await ready(); const work = new Work(settings);';

describe("a contender's program", () => {
  test('starts on `go`, and reports the results of its tasks', async () => {
    const program = start(`${WORK} for (const job of jobs({ ...settings, tasks: 3 })) await work.run(job);`, {
      tasks: 3,
      jobs: 'sleep:20',
      record: true,
    });
    await program.ready();
    await expect(program.finished(100)).rejects.toThrow('did not say "finished" within 0.1 s');
    await program.go();
    const { tasks, repeats, cpuMs, peakMb, records = [], ...times } = await program.finished(WITHIN_MS);
    expect([tasks, repeats, records.length]).toEqual([3, 0, 3]);
    expect(cpuMs).toBeGreaterThan(0);
    expect(peakMb).toBeGreaterThan(10);
    expect(times.goAtMs).toBeLessThanOrEqual(times.firstAtMs);
    expect(times.lastAtMs - times.firstAtMs).toBeGreaterThanOrEqual(59);
    for (const [ms, sentAtMs, startedAtMs, finishedAtMs] of records) {
      expect(ms).toBe(20);
      expect(sentAtMs).toBeLessThanOrEqual(startedAtMs);
      expect(finishedAtMs - startedAtMs).toBeGreaterThanOrEqual(19);
    }
  });

  test('counts tasks that it handles twice', async () => {
    const program = start(
      `${WORK} for (const id of [0, 5000, 5000, 0]) await work.run({ id, ms: 0, sentAtMs: 0 });`,
      { tasks: 4 },
    );
    await program.go();
    expect(await program.finished(WITHIN_MS)).toMatchObject({ tasks: 4, repeats: 2 });
  });

  test('reports its progress if asked to', async () => {
    const seen: number[] = [];
    const program = start(
      `${WORK} for (const job of jobs({ ...settings, tasks: 7 })) await work.run(job);`,
      { tasks: 7, progressEvery: 2 },
      { onProgress: ({ tasks }) => seen.push(tasks) },
    );
    await program.go();
    await program.finished(WITHIN_MS);
    expect(seen).toEqual([2, 4, 6]);
  });

  test('sends one by one, many at a time, or in tens', async () => {
    const text = `await ready();
      let now = 0, most = 0, sends = 0;
      const send = async (given) => {
        sends++; most = Math.max(most, ++now);
        await new Promise((resolve) => setTimeout(resolve, 2));
        now--;
      };
      process.once('SIGTERM', () => process.exit(0));
      const { writeSync } = await import('node:fs');
      await sendAll(settings, send, send);
      writeSync(3, JSON.stringify({ event: 'progress', tasks: sends, residentMb: most, atMs: 0 }) + '\\n');`;
    const countsOf = async (how: Partial<Settings>): Promise<[sends: number, atOnce: number]> => {
      const said = Promise.withResolvers<Progress>();
      const program = start(text, { role: 'send', tasks: 25, ...how }, { onProgress: said.resolve });
      await program.go();
      expect(await program.finished(WITHIN_MS)).toMatchObject({ tasks: 25 });
      const { tasks: sends, residentMb: atOnce } = await said.promise;
      return [sends, atOnce];
    };
    expect(await countsOf({ inFlight: 1 })).toEqual([25, 1]);
    expect(await countsOf({ inFlight: 10 })).toEqual([25, 10]);
    expect(await countsOf({ inFlight: 1, batch: true })).toEqual([3, 1]);
  });

  test('sends at the pace that the bench sets', async () => {
    const program = start('await ready(); await sendAll(settings, async () => {});', {
      role: 'send',
      tasks: 21,
      rate: 100,
    });
    await program.go();
    const { firstAtMs, lastAtMs } = await program.finished(WITHIN_MS);
    expect(lastAtMs - firstAtMs).toBeGreaterThanOrEqual(200);
  });

  test('fails with its last lines if it ends too early', async () => {
    const program = start("console.error('all is well'); console.error('no it is not'); process.exit(3);");
    await expect(program.go()).rejects.toThrow(
      /^sample \(work noop\) ended with status 3:\nall is well\nno it is not$/,
    );
    await expect(program.finished(WITHIN_MS)).rejects.toThrow('ended with status 3');
  });

  test('can report that its library cannot do the job', async () => {
    const program = start('await ready(); await sendAll(settings, async () => {});', {
      role: 'send',
      tasks: 1,
      batch: true,
    });
    await program.go();
    const error = await program.finished(WITHIN_MS).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(CannotError);
    expect(String(error)).toContain('no batch API');
  });

  test('fails with its path if it cannot be started', async () => {
    const nowhere: Contender = { ...contender(''), command: ['/no/such/program'] };
    const settings = { role: 'work', queueUrls: [] } as const;
    const program = new ContenderProcess(nowhere, { settings, environment: {}, signal: interrupt.signal });
    await expect(program.go()).rejects.toThrow('/no/such/program');
    await program.kill();
  });

  test('ends together with its child processes', async () => {
    const said = Promise.withResolvers<Progress>();
    const text = `const { spawn } = await import('node:child_process');
      const { writeSync } = await import('node:fs');
      const { pid } = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
      writeSync(3, JSON.stringify({ event: 'progress', tasks: pid, residentMb: 1, atMs: 0 }) + '\\n');
      await ready();`;
    const program = start(text, {}, { onProgress: said.resolve });
    const { tasks: grandchild } = await said.promise;
    expect(runs(grandchild)).toBe(true);
    await program.kill();
    await eventually('the child process has ended', () => !runs(grandchild));
  });

  test('is given up if the bench is interrupted', async () => {
    const { signal, abort } = abortable();
    const program = start('await ready();', {}, { signal });
    await program.go();
    const finished = program.finished(WITHIN_MS);
    abort();
    await expect(finished).rejects.toThrow('sample (work noop) was interrupted');
    expect(() => start('await ready();', {}, { signal })).toThrow('The bench was interrupted');
  });

  test('ends by itself when the bench has ended', async () => {
    const { command } = contender('await ready(); setInterval(() => {}, 1000);');
    const [program, ...args] = command;
    const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'inherit', 'pipe'] });
    await once(child.stdio[3] ?? child, 'data');
    child.stdin?.end();
    await once(child, 'exit');
    expect(child.exitCode).toBe(0);
  });
});

function abortable(): { signal: AbortSignal; abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort(new Error('The bench was interrupted')) };
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
