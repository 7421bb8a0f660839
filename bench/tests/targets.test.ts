import { describe, expect, test } from '@jest/globals';
import type { Sample } from '../results.ts';
import type { Choice } from '../series.ts';
import { judge, type Judged } from '../target.ts';
import { judgeTargets, targetsFor } from '../targets.ts';
import { fullResults, rounds } from './synthetic-results.ts';

const full = fullResults();

function judged(id: string, samples: readonly Sample[] = full.samples): Judged {
  const found = targetsFor(samples).find((each) => each.id === id);
  if (!found) throw new Error(`no target has the id ${id}`);
  return judge(found, { ...full, samples });
}

/** The samples, with the selected ones multiplied by a factor. */
function scaled(choice: Choice, factor: number, onlyRound?: number): Sample[] {
  const keys = ['measure', 'figure', 'contender', 'broker', 'at'] as const;
  return full.samples.map((sample) => {
    const isMeant = keys.every((key) => choice[key] === undefined || choice[key] === sample[key]);
    return isMeant && (onlyRound ?? sample.round) === sample.round
      ? { ...sample, value: sample.value * factor }
      : sample;
  });
}

/** Each target with its limit, and the factor by which one of Baton's figures must change to miss it. */
const TARGETS: readonly (readonly [
  id: string,
  limit: string,
  measure: string,
  figure: string,
  factor: number,
])[] = [
  ['drain-cpu-raw-loop-fauxqs', 'at most 1.1', 'drain', 'cpu', 1.07],
  ['drain-cpu-sqs-consumer-fauxqs', 'at most 0.4', 'drain', 'cpu', 1.1],
  ['drain-cpu-sqs-consumer-batch-fauxqs', 'below 1', 'drain', 'cpu', 131 / 96],
  ['drain-cpu-celery-fauxqs', 'at most 0.1', 'drain', 'cpu', 1.8],
  ['drain-cpu-raw-loop-elasticmq', 'at most 1.1', 'drain', 'cpu', 1.07],
  ['drain-cpu-sqs-consumer-elasticmq', 'at most 0.4', 'drain', 'cpu', 1.1],
  ['drain-cpu-sqs-consumer-batch-elasticmq', 'below 1', 'drain', 'cpu', 1.4],
  ['drain-throughput-raw-loop-fauxqs', 'at least 1', 'drain', 'throughput', 0.95],
  ['drain-throughput-sqs-consumer-fauxqs', 'at least 3', 'drain', 'throughput', 0.84],
  ['drain-throughput-sqs-consumer-batch-fauxqs', 'at least 1.3', 'drain', 'throughput', 0.89],
  ['drain-throughput-celery-fauxqs', 'at least 12', 'drain', 'throughput', 0.7],
  ['drain-throughput-raw-loop-elasticmq', 'at least 1', 'drain', 'throughput', 0.95],
  ['drain-throughput-sqs-consumer-elasticmq', 'at least 3', 'drain', 'throughput', 0.84],
  ['drain-throughput-sqs-consumer-batch-elasticmq', 'at least 1.1', 'drain', 'throughput', 0.75],
  ['mixed-queued-makespan-fauxqs', 'at most 1.2', 'mixed-queued', 'makespan-to-ideal', 1.1],
  ['mixed-queued-p99-sqs-consumer-fauxqs', 'at least 6', 'mixed-queued', 'fast-p99', 1.52],
  ['mixed-queued-p99-bullmq-fauxqs', 'at most 1.2', 'mixed-queued', 'fast-p99', 1.1],
  ['mixed-open-p99-bullmq-fauxqs', 'below 2', 'mixed-open', 'fast-p99', 18 / 11],
  ['beside-slow-p50-fauxqs', 'at most 100', 'beside-slow', 'short-p50', 8],
  ['beside-slow-p99-fauxqs', 'at most 3000', 'beside-slow', 'short-p99', 1.5],
  ['beside-slow-makespan-fauxqs', 'at most 1.25', 'beside-slow', 'slow-to-ideal', 1.2],
  ['send-requests-fauxqs', 'at most 0.105', 'send', 'requests', 1.05],
  ['requests-send-to-delete-fauxqs', 'at most 0.31', 'requests', 'send-to-delete', 1.03],
  ['idle-requests-fauxqs', 'at most 3', 'idle-requests', 'requests', 4 / 3],
  ['idle-requests-concurrency-fauxqs', 'at most 3', 'idle-requests', 'requests-concurrency', 4 / 3],
  ['idle-queues-polled-fauxqs', 'at least 1', 'idle-requests', 'queues-polled', 2 / 3],
  ['idle-latency-raw-loop-fauxqs', 'at most 2', 'idle-latency', 'start-p50', 1.6],
  ['tracked-writes-fauxqs', 'at most 2', 'tracked', 'writes', 1.01],
  ['first-run-202', 'at most 5', 'first-run', 'first-202', 1.7],
  ['first-run-test-line', 'at most 2', 'first-run', 'first-test-line', 1.7],
  ['bundle-size-order-service', 'at most 1000', 'bundle', 'size', 1.6],
  ['bundle-import-order-service', 'below 150', 'bundle', 'import-cpu', 150 / 110],
  ['drain-peak-memory-raw-loop-fauxqs', 'at most 40', 'drain', 'peak-memory', 1.2],
  ['drain-peak-memory-raw-loop-elasticmq', 'at most 40', 'drain', 'peak-memory', 1.2],
];

describe('a target', () => {
  test.each(TARGETS)(
    '%s is %s, holds, and falls short if Baton is worse',
    (id, limit, measure, figure, by) => {
      const { holds, direction, limit: number } = judged(id);
      expect([`${direction} ${number}`, holds]).toEqual([limit, 'yes']);
      const whose = { 'tracked-writes-fauxqs': 'baton-tracked', 'bundle-': 'order-service' };
      const contender = Object.entries(whose).find(([start]) => id.startsWith(start))?.[1] ?? 'baton';
      expect(judged(id, scaled({ measure, figure, contender }, by)).holds).toBe('no');
    },
  );

  test('compares sends together with sends one by one', () => {
    const together: Choice = { measure: 'send', figure: 'throughput', contender: 'baton', at: 100 };
    expect(judged('send-coalesced-fauxqs')).toMatchObject({
      direction: 'at least',
      limit: 3.8,
      holds: 'yes',
    });
    expect(judged('send-coalesced-fauxqs', scaled(together, 0.67)).holds).toBe('no');
  });

  test('compares ten workers with one', () => {
    const ten: Choice = { measure: 'scaling', figure: 'throughput', contender: 'baton', at: 10 };
    expect(judged('scaling-10-workers-fauxqs')).toMatchObject({ limit: 9.5, holds: 'yes' });
    expect(judged('scaling-10-workers-fauxqs', scaled(ten, 0.95)).holds).toBe('no');
  });

  test('compares the last tenth of a long run with its second tenth only', () => {
    const id = 'growth-run-memory-fauxqs';
    const resident = { measure: 'growth-run', figure: 'resident', contender: 'baton' };
    expect(judged(id)).toMatchObject({ direction: 'at most', limit: 1.05, holds: 'yes' });
    const last = scaled({ ...resident, at: 1_000_000 }, 1.12);
    expect(judged(id, last).holds).toBe('no');
    expect(judged(id, scaled({ ...resident, at: 500_000 }, 2)).holds).toBe('yes');
    expect(judged(id, scaled({ ...resident, at: 50_000 }, 0.5)).holds).toBe('yes');
  });

  test('without a limit has no verdict', () => {
    expect(judged('drain-throughput-bullmq-fauxqs')).toMatchObject({ holds: 'shown', limit: undefined });
    expect(judged('mixed-open-p99-sqs-consumer-fauxqs').value).toBeCloseTo(1600 / 11);
  });

  test('says why it was not measured', () => {
    expect(judged('drain-cpu-celery-elasticmq')).toMatchObject({
      holds: 'not measured',
      why: 'celery is absent: no Python_3 on PATH <here>',
    });
    const without = full.samples.filter(({ contender }) => contender !== 'sqs-consumer');
    expect(judged('drain-cpu-sqs-consumer-fauxqs', without).why).toBe(
      'no cpu of drain by sqs-consumer on fauxqs',
    );
  });

  test('needs both values in the same round', () => {
    const apart = full.samples.filter(({ contender, round }) => round === (contender === 'baton' ? 1 : 2));
    expect(judged('drain-cpu-raw-loop-fauxqs', apart).why).toBe('never taken in the same round');
  });

  test('holds by the median, and shows if a round does not hold', () => {
    const choice = { measure: 'drain', figure: 'cpu', contender: 'baton' };
    const { holds, inEveryRound, spread } = judged('drain-cpu-raw-loop-fauxqs', scaled(choice, 2, 3));
    expect([holds, inEveryRound]).toEqual(['yes', false]);
    expect(spread?.max).toBeGreaterThan(2);
    expect(judged('drain-cpu-raw-loop-fauxqs').inEveryRound).toBe(true);
  });

  test('uses the best of several samples of a contender', () => {
    const more = rounds({
      measure: 'drain',
      figure: 'throughput',
      unit: 'tasks/s',
      contender: 'sqs-consumer',
      broker: 'fauxqs',
      value: 2600,
    });
    expect(judged('drain-throughput-sqs-consumer-fauxqs', [...full.samples, ...more]).value).toBe(2);
  });
});

test('every function has targets of its own', () => {
  const other = rounds({
    measure: 'bundle',
    figure: 'size',
    unit: 'kB',
    contender: 'task-service',
    value: 1200,
  });
  expect(judged('bundle-size-task-service', [...full.samples, ...other]).holds).toBe('no');
});

test('without samples every target exists once and counts as not measured', () => {
  const all = judgeTargets({ samples: [], absent: [] });
  expect(new Set(all.map(({ holds }) => holds))).toEqual(new Set(['not measured']));
  expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  expect(all.length).toBeGreaterThan(30);
});

test('these tests know all targets of a full run', () => {
  const known = [
    ...TARGETS.map(([id]) => id),
    'send-coalesced-fauxqs',
    'scaling-10-workers-fauxqs',
    'growth-run-memory-fauxqs',
    'drain-throughput-bullmq-fauxqs',
    'mixed-open-p99-sqs-consumer-fauxqs',
    // Celery is absent on ElasticMQ
    'drain-cpu-celery-elasticmq',
    'drain-throughput-celery-elasticmq',
  ];
  expect(
    targetsFor(full.samples)
      .map(({ id }) => id)
      .toSorted(),
  ).toEqual(known.toSorted());
});
