import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { TaskClient, TaskStore } from 'baton-tasks/tooling';
import { type Backends, startBackends } from '../support/backends.ts';
import { EffectSink } from '../support/effect-sink.ts';
import { eventually } from 'baton-dev/testing/eventually';
import { hoarder } from '../support/hoarder.ts';
import { countMessages } from 'baton-dev/testing/message-counts';
import { nap } from '../support/nap.ts';
import { createNotesTable } from '../support/notes-table.ts';
import { NapSink } from '../support/nap-sink.ts';
import { freePort, Program } from 'baton-dev/testing/program';
import { count } from '../support/tracked-tasks.ts';

const NAPS = 60;
const TRACKED = 60;

let backends: Backends;
let tasks: TaskClient;
let naps: NapSink;
let effects: EffectSink;
const programs: Program[] = [];

beforeEach(async () => {
  backends = await startBackends(['default']);
  const { documents, tasksTable: table, queueUrls, sqs, stage } = backends;
  const records = new TaskStore({ documents, table });
  tasks = new TaskClient({ sqs, queueUrls, source: 'tests', records });
  naps = new NapSink();
  effects = await EffectSink.create(documents, `baton-${stage}-effects`);
});
afterEach(async () => {
  for (const program of programs.splice(0)) await program.stop('SIGKILL');
  await backends.stop();
  naps.clear();
});

async function startWorker(limit: string): Promise<Program> {
  const environment = {
    ...backends.environment,
    WORKER_LEASE_SECONDS: '5',
    WORKER_WAIT_SECONDS: '1',
    WORKER_CONCURRENCY: '50',
    HEALTH_PORT: String(await freePort()),
    NAP_SINK: naps.path,
    EFFECTS_TABLE: effects.table,
  };
  const program = new Program('packages/baton/tests/support/test-worker.ts', environment, [], { limit });
  programs.push(program);
  await program.says('worker started');
  return program;
}

async function expectEmptyQueue(): Promise<void> {
  const left = () => countMessages(backends, backends.queueUrls.of('default'));
  await eventually(
    'an empty queue',
    async () => Object.values(await left()).every((each) => each === 0),
    40_000,
  );
}

describe('a worker that may open few files', () => {
  test('continues when its tasks have freed them: no task is lost or becomes a dead letter', async () => {
    const worker = await startWorker('ulimit -n 100');
    await tasks.send(hoarder, { ms: 4000 });
    await worker.says('all descriptors are taken');
    const sent = await Promise.all(Array.from({ length: NAPS }, () => tasks.send(nap, { ms: 0 })));
    await eventually('all naps', () => naps.done.size === NAPS, 40_000);
    expect(new Set(naps.done.keys())).toEqual(new Set(sent.map(({ taskId }) => taskId)));
    await expectEmptyQueue();
    await expect(deadLetters()).resolves.toEqual({ visible: 0, hidden: 0 });
    await expect(worker.stop()).resolves.toBe(0);
  });

  test('finishes more tracked tasks than it can open connections for, with each effect once', async () => {
    const worker = await startWorker('ulimit -n 64');
    const sent = await Promise.all(
      Array.from({ length: TRACKED }, (_, number) => tasks.send(count, { number, ms: 10, failures: 0 })),
    );
    await eventually('all effects', async () => (await effects.rows()).size === TRACKED, 60_000);
    await expectEmptyQueue();
    const rows = await effects.rows();
    expect([...rows.values()].filter((again) => again > 0)).toEqual([]);
    for (const task of sent) expect(await task.result()).toMatchObject({ ms: 10 });
    expect(worker.output).toContain('EMFILE');
    await expect(worker.stop()).resolves.toBe(0);
  }, 120_000);
});

test('a service without a file descriptor for its store answers 503, and recovers', async () => {
  const port = String(await freePort());
  const environment = { ...backends.environment, NOTES_TABLE: await createNotesTable(backends), PORT: port };
  // Each request to it and each request to its store needs a descriptor
  const program = new Program('packages/baton/tests/support/notes-service.ts', environment, [], {
    limit: 'ulimit -n 40',
  });
  programs.push(program);
  await program.says('listening');
  const post = () =>
    fetch(`http://127.0.0.1:${port}/notes`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text: 'x' }),
    }).then(
      ({ status }) => status,
      () => 'hung up',
    );
  const answers = await Promise.all(Array.from({ length: 60 }, post));
  expect(answers.filter((answer) => answer !== 202 && answer !== 503 && answer !== 'hung up')).toEqual([]);
  expect(answers).toContain(503);
  await eventually('an accepted request', async () => (await post()) === 202);
  await expect(program.stop()).resolves.toBe(0);
});

const deadLetters = () => countMessages(backends, backends.queueUrls.deadLettersOf('default'));
