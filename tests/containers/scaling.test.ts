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
/** Naps for each worker in a round. With ten at a time and the middle length they take 20 s. */
const NAPS_A_WORKER = 100;
const SHORTEST_MS = 1200;
const SPREAD_MS = 1600;
const MIDDLE_MS = SHORTEST_MS + SPREAD_MS / 2;
/** The golden ratio spreads the lengths evenly, so that every section of a round takes the same time. */
const GOLDEN = 0.618_033_988_75;
/** The part of a round that counts, in finished naps. Before it naps start together, after it slots become empty. */
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

/** Tasks per second of a number of workers, in the middle of a round, while all slots are busy. */
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

/** The time at which this part of the naps had ended. */
function endOf(naps: readonly PastNap[], part: number): number {
  return naps[Math.round(naps.length * part)]?.endedMs ?? Number.NaN;
}

/**
 * Tasks of the middle length per second. Only the part of a nap between the two times counts. If whole naps counted at
 * their ends, the figure of one worker, the divisor of all ratios, would differ by 4% between rounds.
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

test('three workers do at least 2.9 times the sleeping tasks of one worker, and ten do at least 9.5 times', async () => {
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
