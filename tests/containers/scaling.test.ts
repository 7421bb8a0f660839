import { SQSClient } from '@aws-sdk/client-sqs';
import { QueueUrls } from '@baton/common/queue/queue-urls';
import { TaskClient } from '@baton/common/queue/task-client';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { nap } from '../support/nap.ts';
import { NapSink } from '../support/nap-sink.ts';
import { freePort } from '../support/program.ts';
import { ComposeProject } from './compose-project.ts';
import { note } from './figures.ts';

const OVERRIDE = 'tests/containers/naps.compose.yml';
/** Naps for each worker of a round, and how long the middle one takes: 20 s for ten at a time. */
const NAPS_A_WORKER = 100;
const SHORTEST_MS = 1200;
const SPREAD_MS = 1600;
/** Multiples of it are spread evenly, so that every stretch of naps is as long as any other. */
const GOLDEN = 0.618_033_988_75;
/** The part of a round that counts: its first naps start together, and its last slots run dry one by one. */
const COUNTED = [0.2, 0.8] as const;
const ROUND_MS = 90_000;

const sink = new NapSink();
const port = await freePort();
const system = await ComposeProject.create(
  { NAPS_SQS_PORT: String(port), NAPS_FOLDER: sink.folder, NAPS_REPOSITORY: process.cwd() },
  [OVERRIDE],
);
const sqs = new SQSClient({
  region: 'us-east-1',
  endpoint: `http://127.0.0.1:${port}`,
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  useQueueUrlAsEndpoint: false,
});
const queueUrls = new QueueUrls(`http://127.0.0.1:${port}/000000000000/baton-dev-`);
const tasks = new TaskClient({ sqs, queueUrls, source: 'tests' });

/** Naps per second of so many workers, over the middle of a round in which all have enough to do. */
async function throughputOf(workers: number): Promise<number> {
  await system.compose(`up --detach --wait --scale worker=${workers} worker`);
  const before = sink.done.size;
  const naps = NAPS_A_WORKER * workers;
  const lengths = Array.from(
    { length: naps },
    (_, index) => SHORTEST_MS + SPREAD_MS * ((index * GOLDEN) % 1),
  );
  await Promise.all(lengths.map((ms) => tasks.send(nap, { ms: Math.round(ms) })));
  const [from, to] = COUNTED.map((part) => before + Math.round(naps * part));
  const reached = (count = 0): Promise<Moment> =>
    eventually(
      `${count} naps`,
      () => sink.done.size >= count && { done: sink.done.size, atMs: performance.now() },
      ROUND_MS,
    );
  const first = await reached(from);
  const last = await reached(to);
  await reached(before + naps);
  return ((last.done - first.done) / (last.atMs - first.atMs)) * 1000;
}

interface Moment {
  readonly done: number;
  readonly atMs: number;
}

beforeAll(async () => {
  await system.build(system.line('build resources gateway'));
  await system.compose('up --detach --wait worker');
}, 180_000);

afterAll(async () => {
  await system.remove();
  sqs.destroy();
  sink.clear();
}, 60_000);

test('three workers do 2.9 times as many sleeping tasks as one, ten do 9.5 times as many, with nothing else changed', async () => {
  const one = await throughputOf(1);
  const three = await throughputOf(3);
  const ten = await throughputOf(10);
  const times = (rate: number): string =>
    `${(rate / one).toFixed(2)} times (${rate.toFixed(1)} of ${one.toFixed(1)} tasks/s)`;
  note({
    criterion: 'SC-006',
    what: 'throughput of 3 workers against 1',
    target: 'at least 2.9 times',
    seen: times(three),
    holds: three / one >= 2.9,
  });
  note({
    criterion: 'SC-006',
    what: 'throughput of 10 workers against 1',
    target: 'at least 9.5 times',
    seen: times(ten),
    holds: ten / one >= 9.5,
  });
  expect(three / one).toBeGreaterThanOrEqual(2.9);
  expect(ten / one).toBeGreaterThanOrEqual(9.5);
});
