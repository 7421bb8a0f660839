import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SQSClient } from '@aws-sdk/client-sqs';
import { QueueUrls, TaskClient } from 'baton-tasks/tooling';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from 'baton-dev/testing/eventually';
import { freePort } from 'baton-dev/testing/program';
import { ComposeProject } from './compose-project.ts';
import { note } from './figures.ts';
import { nap, type PastNap, pastNaps } from './naps.ts';

const OVERRIDE = 'tests/containers/naps.compose.yml';
/** Naps for each worker of a round, and how long the middle one takes: 20 s for ten at a time. */
const NAPS_A_WORKER = 100;
const SHORTEST_MS = 1200;
const SPREAD_MS = 1600;
const MIDDLE_MS = SHORTEST_MS + SPREAD_MS / 2;
/** Multiples of it are spread evenly, so that every stretch of naps is as long as any other. */
const GOLDEN = 0.618_033_988_75;
/** The part of a round that counts, by the naps that are over: the first start together, the last slots run dry one by one. */
const COUNTED_FROM = 0.2;
const COUNTED_TO = 0.8;
const ROUND_MS = 90_000;

const folder = mkdtempSync(join(tmpdir(), 'baton-naps-'));
const sink = join(folder, 'sink');
writeFileSync(sink, '');
const port = await freePort();
const system = await ComposeProject.create(
  { NAPS_SQS_PORT: String(port), NAPS_FOLDER: folder, NAPS_REPOSITORY: process.cwd() },
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

/** Tasks per second of so many workers, over the middle of a round in which all have enough to do. */
async function throughputOf(workers: number): Promise<number> {
  await system.compose(`up --detach --wait --scale worker=${workers} worker`);
  const before = pastNaps(sink).length;
  const naps = NAPS_A_WORKER * workers;
  const lengths = Array.from(
    { length: naps },
    (_, index) => SHORTEST_MS + SPREAD_MS * ((index * GOLDEN) % 1),
  );
  await Promise.all(lengths.map((ms) => tasks.send(nap, { ms: Math.round(ms) })));
  await eventually('all naps', () => pastNaps(sink).length >= before + naps, ROUND_MS);
  const round = pastNaps(sink).slice(before);
  return throughputBetween(round, endOf(round, COUNTED_FROM), endOf(round, COUNTED_TO));
}

/** When so large a part of them was over. */
function endOf(naps: readonly PastNap[], part: number): number {
  return naps[Math.round(naps.length * part)]?.endedMs ?? Number.NaN;
}

/**
 * Tasks per second, of the middle one's length. A nap counts with the part of it that lies between the two times: counted
 * whole, at their ends, one worker's few naps make a figure that differs by 4% between rounds, and all are divided by it.
 */
function throughputBetween(naps: readonly PastNap[], fromMs: number, toMs: number): number {
  const sleptMs = naps.map(({ endedMs, ms }) => Math.min(endedMs, toMs) - Math.max(endedMs - ms, fromMs));
  const all = sleptMs.reduce((sum, ms) => sum + Math.max(ms, 0), 0);
  return (all / MIDDLE_MS / (toMs - fromMs)) * 1000;
}

beforeAll(async () => {
  await system.build(system.line('build resources gateway'));
  await system.compose('up --detach --wait worker');
}, 180_000);

afterAll(async () => {
  await system.remove();
  sqs.destroy();
  rmSync(folder, { recursive: true });
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
