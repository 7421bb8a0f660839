import type { Results, Sample, Unit } from '../results.ts';

/** Throughput in tasks/s, CPU in us/task, peak memory in MB, and p99 of fast tasks in ms: all queued, and at a rate. */
type Drained = readonly [throughput: number, cpu: number, memory: number, queued: number, open: number];

const DRAINED: Readonly<Record<string, Drained>> = {
  baton: [5200, 96, 118, 210, 11],
  'raw-loop': [5000, 92, 96, 1350, 900],
  'sqs-consumer': [1480, 262, 104, 1900, 1600],
  'sqs-consumer-batch': [3600, 131, 108, 3900, 2100],
  'message-queue-toolkit': [1390, 301, 131, 2000, 1700],
  powertools: [2100, 204, 112, 4100, 2600],
  celery: [310, 1640, 210, 2600, 2900],
};
const ROUNDS = 3;
const WOBBLE = [1, 0.96, 1.05];

/** A sample for each round. The values differ a little. */
export function rounds(sample: Omit<Sample, 'round'>, count = ROUNDS): Sample[] {
  return Array.from({ length: count }, (_, place) => ({
    ...sample,
    round: place + 1,
    value: sample.value * (WOBBLE[place % WOBBLE.length] ?? 1),
  }));
}

/** Results of a run that measured everything on every broker and reached every target. */
export function fullResults(): Results {
  return {
    startedAt: '2026-11-25T03:04:05.000Z',
    durationSeconds: 4210,
    mode: 'full',
    machine: {
      cpu: 'Some CPU | 2.20GHz',
      cores: 2,
      memoryGb: 8,
      os: 'linux 6.1 x64',
      node: '24.21.0',
    },
    versions: { 'sqs-consumer': '15.0.1', fauxqs: '2.4.1', bullmq: '6.1.0' },
    absent: [{ contender: 'celery', broker: 'elasticmq', reason: 'no Python_3 on PATH <here>' }],
    samples: [...drained(), ...mixed(), ...otherMeasures(), ...services(), ...growth()],
  };
}

/** Full results that miss one target: the first 202 takes 7.5 s. */
export function resultsFallingShort(): Results {
  const full = fullResults();
  const slow = {
    measure: 'first-run',
    figure: 'first-202',
    unit: 's',
    contender: 'baton',
    value: 7.5,
  } as const;
  const others = full.samples.filter(({ figure }) => figure !== slow.figure);
  return { ...full, samples: [...others, ...rounds(slow, 1)] };
}

/** Full results of only some measures, as with `--only`. */
export function partialResults(...measures: readonly string[]): Results {
  const full = fullResults();
  return { ...full, samples: full.samples.filter(({ measure }) => measures.includes(measure)) };
}

function of(measure: string, broker?: string): (...figures: readonly Figure[]) => Sample[] {
  return (...figures) =>
    figures.flatMap(([contender, figure, unit, value, at]) =>
      rounds({ measure, figure, unit, contender, broker, at, value }),
    );
}

type Figure = readonly [contender: string, figure: string, unit: Unit, value: number, at?: number];

function drained(): Sample[] {
  const onSqs = ['fauxqs', 'elasticmq'].flatMap((broker) =>
    Object.entries(DRAINED)
      .filter(([contender]) => broker === 'fauxqs' || contender !== 'celery')
      .flatMap(([contender, [throughput, cpu, memory]]) =>
        of('drain', broker)(
          [contender, 'throughput', 'tasks/s', broker === 'fauxqs' ? throughput : throughput * 0.4],
          [contender, 'cpu', 'us/task', cpu],
          [contender, 'peak-memory', 'MB', memory],
        ),
      ),
  );
  const onRedis = of('drain', 'redis')(
    ['bullmq', 'throughput', 'tasks/s', 5900],
    ['bullmq', 'cpu', 'us/task', 120],
    ['bullmq', 'peak-memory', 'MB', 130],
  );
  return [...onSqs, ...onRedis];
}

function mixed(): Sample[] {
  const rows = [
    ...Object.entries(DRAINED).map(([name, each]) => [name, 'fauxqs', each] as const),
    ['bullmq', 'redis', [0, 0, 0, 190, 9]] as const,
  ];
  return rows.flatMap(([contender, broker, [, , , p99, open]]) => {
    const atOnce = of('mixed-queued', broker)(
      [contender, 'makespan', 's', 20 + p99 / 500],
      [contender, 'makespan-to-ideal', 'times', 1 + p99 / 2000],
      [contender, 'fast-p50', 'ms', p99 / 2],
      [contender, 'fast-p99', 'ms', p99],
    );
    const asTheyCome = of('mixed-open', broker)(
      [contender, 'fast-p50', 'ms', Math.min(open, 6.4)],
      [contender, 'fast-p99', 'ms', open],
    );
    return atOnce.concat(asTheyCome);
  });
}

function otherMeasures(): Sample[] {
  return [
    ...of('send', 'fauxqs')(
      ['baton', 'throughput', 'messages/s', 900, 1],
      ['baton', 'throughput', 'messages/s', 5100, 100],
      ['sqs-consumer', 'throughput', 'messages/s', 880, 1],
    ),
    ...of('beside-slow', 'fauxqs')(
      ['baton', 'short-p50', 'ms', 15],
      ['baton', 'short-p99', 'ms', 2400],
      ['baton', 'slow-to-ideal', 'times', 1.13],
      ['raw-loop', 'short-p50', 'ms', 8],
    ),
    ...exact('send', 'fauxqs')(['baton', 'requests', 'requests/task', 0.101, 100]),
    ...exact('idle-requests', 'fauxqs')(
      ['baton', 'requests', 'requests/min', 3, 1],
      ['baton', 'requests', 'requests/min', 9, 3],
      ['baton', 'queues-polled', 'requests', 1, 1],
      ['baton', 'queues-polled', 'requests', 3, 3],
      ['baton', 'requests-concurrency', 'requests/min', 3, 1],
      ['baton', 'requests-concurrency', 'requests/min', 3, 1000],
    ),
    ...exact('requests', 'fauxqs')(['baton', 'send-to-delete', 'requests/task', 0.304]),
    ...of('idle-latency', 'fauxqs')(['baton', 'start-p50', 'ms', 3.1], ['raw-loop', 'start-p50', 'ms', 2.6]),
    ...of('crash', 'fauxqs')(['baton', 'redelivery', 's', 10.4]),
    ...of(
      'scaling',
      'fauxqs',
    )(...[1, 2, 5, 10].map((at) => ['baton', 'throughput', 'tasks/s', 48 * at ** 0.996, at] as const)),
    ...exact('tracked', 'fauxqs')(['baton-tracked', 'writes', 'writes/attempt', 2]),
  ];
}

function services(): Sample[] {
  return [
    ...of('first-run')(['baton', 'first-202', 's', 3.1], ['baton', 'first-test-line', 's', 1.2]),
    ...of('http')(['embedded', 'throughput', 'requests/s', 700], ['container-server', 'p99', 'ms', 9]),
    ...of('bundle')(['order-service', 'size', 'kB', 640], ['order-service', 'import-cpu', 'ms', 110]),
    ...of('memory')(
      ['order-service', 'resident', 'MB', 74, 0],
      ['order-service', 'resident', 'MB', 88, 300],
      ['worker', 'resident', 'MB', 76, 0],
      ['worker', 'resident', 'MB', 91, 300],
    ),
  ];
}

function growth(): Sample[] {
  const flat = (measure: string, ats: readonly number[]): Sample[] =>
    ats.flatMap((at, place) =>
      of(measure, 'fauxqs')(
        ['baton', 'cpu', 'us/task', 120 - 8 * place, at],
        ['baton', 'throughput', 'tasks/s', 4300 + 300 * place, at],
        ['raw-loop', 'cpu', 'us/task', 118 - 9 * place, at],
        ['raw-loop', 'throughput', 'tasks/s', 4200 + 310 * place, at],
        ['sqs-consumer', 'cpu', 'us/task', 262 - 9 * place, at],
        ['sqs-consumer', 'throughput', 'tasks/s', 1480 + 10 * place, at],
      ),
    );
  const twentieths = Array.from({ length: 20 }, (_, place) => (place + 1) * 50_000);
  return [
    ...flat('growth-queued', [1e3, 1e4, 1e5]),
    ...of('growth-run', 'fauxqs')(
      ['baton', 'cpu', 'us/task', 95, 1e6],
      ['baton', 'throughput', 'tasks/s', 5300, 1e6],
    ),
    ...flat('growth-concurrency', [1, 10, 100, 1000]),
    ...flat('growth-envelope', [1e3, 1e4, 1e5, 1e6]),
    ...twentieths.flatMap((at, place) =>
      of('growth-run', 'fauxqs')(
        ['baton', 'resident', 'MB', 112 + Math.min(place, 2) * 3 + (place % 3), at],
        ['raw-loop', 'resident', 'MB', 91 + Math.min(place, 2) * 3 + (place % 2), at],
      ),
    ),
  ];
}

/** Samples with the same value in every round, for figures that are counted. */
function exact(measure: string, broker: string): (...figures: readonly Figure[]) => Sample[] {
  return (...figures) =>
    figures.flatMap(([contender, figure, unit, value, at]) =>
      [1, 2, 3].map((round) => ({ measure, figure, unit, contender, broker, at, round, value })),
    );
}
