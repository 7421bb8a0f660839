import { mean } from 'd3-array';
import { cpuTargets, peakMemoryTarget, throughputTargets } from './drain-targets.ts';
import { onBroker } from './report/names.ts';
import type { Sample } from './results.ts';
import { type Broker, type Choice, of } from './series.ts';
import {
  differenceTarget,
  figureTarget,
  type Found,
  judge,
  type Judged,
  ratioTarget,
  type Target,
} from './target.ts';

/** Judges all targets by the results of a run, in the order of the page. */
export function judgeTargets(found: Found): Judged[] {
  return targetsFor(found.samples).map((target) => judge(target, found));
}

/** All targets. Each broker and each function in the samples has targets of its own. */
export function targetsFor(samples: readonly Sample[]): Target[] {
  // Drain has targets on both brokers, even without samples
  const drainBrokers = ['fauxqs', 'elasticmq'];
  const on = (measure: string): Broker[] => brokersOf(samples, measure);
  return [
    ...drainBrokers.flatMap(cpuTargets),
    ...drainBrokers.flatMap(throughputTargets),
    ...on('mixed-queued').flatMap(queuedTargets),
    ...on('mixed-open').flatMap(openTargets),
    ...on('beside-slow').flatMap(besideSlowTargets),
    ...on('send').flatMap(sendTargets),
    ...on('requests').map(requestTarget),
    ...on('idle-requests').flatMap(idleTargets),
    ...on('idle-latency').map(idleLatencyTarget),
    ...on('scaling').map(scalingTarget),
    ...on('tracked').map(trackedTarget),
    ...firstRunTargets(),
    ...bundleTargets(samples),
    ...on('growth-run').map(flatMemoryTarget),
    ...drainBrokers.map(peakMemoryTarget),
  ];
}

function queuedTargets(broker: Broker): Target[] {
  const p99 = of('mixed-queued', 'fast-p99', broker);
  const text = (what: string): string => onBroker(`Mixed tasks, queued: ${what}`, broker);
  return [
    figureTarget(
      'mixed-queued-makespan',
      text('makespan, relative to the ideal'),
      'times',
      ['at most', 1.2],
      {
        ...of('mixed-queued', 'makespan-to-ideal', broker)('baton'),
        // For its unit more is better, but not for this figure
        reduce: largest,
      },
    ),
    ratioTarget(
      'mixed-queued-p99-sqs-consumer',
      text("sqs-consumer's p99 of fast tasks, relative to Baton's"),
      ['at least', 6],
      p99('sqs-consumer'),
      p99('baton'),
    ),
    ratioTarget(
      'mixed-queued-p99-bullmq',
      text('p99 of fast tasks, relative to BullMQ on Redis'),
      ['at most', 1.2],
      p99('baton'),
      { ...p99('bullmq'), broker: 'redis' },
    ),
  ];
}

function openTargets(broker: Broker): Target[] {
  const p99 = of('mixed-open', 'fast-p99', broker);
  const text = (what: string): string => onBroker(`Mixed tasks, 200/s: ${what}`, broker);
  return [
    ratioTarget(
      'mixed-open-p99-bullmq',
      text('p99 of fast tasks, relative to BullMQ on Redis'),
      ['below', 2],
      p99('baton'),
      {
        ...p99('bullmq'),
        broker: 'redis',
      },
    ),
    ratioTarget(
      'mixed-open-p99-sqs-consumer',
      text("sqs-consumer's p99 of fast tasks, relative to Baton's"),
      ['shown'],
      p99('sqs-consumer'),
      p99('baton'),
    ),
  ];
}

function besideSlowTargets(broker: Broker): Target[] {
  const figure = (name: string): Choice => of('beside-slow', name, broker)('baton');
  const text = (what: string): string => onBroker(`Tasks of 5 ms beside tasks of 3 s: ${what}`, broker);
  return [
    figureTarget('beside-slow-p50', text('wait, p50'), 'ms', ['at most', 100], figure('short-p50')),
    // The first short tasks arrive while slow tasks use every slot
    figureTarget('beside-slow-p99', text('wait, p99'), 'ms', ['at most', 3000], figure('short-p99')),
    figureTarget(
      'beside-slow-makespan',
      text('slow tasks, relative to the ideal'),
      'times',
      ['at most', 1.25],
      {
        ...figure('slow-to-ideal'),
        reduce: largest,
      },
    ),
  ];
}

function sendTargets(broker: Broker): Target[] {
  const together = { at: 100 };
  const throughput = of('send', 'throughput', broker)('baton');
  return [
    ratioTarget(
      'send-coalesced',
      onBroker('Messages/s with 100 sends in flight, relative to one by one', broker),
      ['at least', 3.8],
      { ...throughput, ...together },
      { ...throughput, at: 1 },
    ),
    figureTarget(
      'send-requests',
      onBroker('Requests per send, 100 in flight', broker),
      'requests/task',
      ['at most', 0.105],
      { ...of('send', 'requests', broker)('baton'), ...together },
    ),
  ];
}

function requestTarget(broker: Broker): Target {
  const text = onBroker('Requests per task, send to delete, at full load', broker);
  const choice = of('requests', 'send-to-delete', broker)('baton');
  return figureTarget('requests-send-to-delete', text, 'requests/task', ['at most', 0.31], choice);
}

function idleTargets(broker: Broker): Target[] {
  const idle = (name: string, reduce: Choice['reduce']): Choice => ({
    ...of('idle-requests', name, broker)('baton'),
    reduce,
  });
  return [
    figureTarget(
      'idle-requests',
      onBroker('Long polls per minute and queue, idle', broker),
      'requests/min',
      ['at most', 3],
      idle('requests', (samples) => Math.max(...samples.map(perQueue))),
    ),
    figureTarget(
      'idle-requests-concurrency',
      onBroker('Long polls per minute of one queue, idle, at any concurrency', broker),
      'requests/min',
      ['at most', 3],
      idle('requests-concurrency', largest),
    ),
    figureTarget(
      'idle-queues-polled',
      onBroker('Share of queues that are polled, idle', broker),
      '',
      ['at least', 1],
      idle('queues-polled', (samples) => Math.min(...samples.map(perQueue))),
    ),
  ];
}

function idleLatencyTarget(broker: Broker): Target {
  const p50 = of('idle-latency', 'start-p50', broker);
  return differenceTarget(
    'idle-latency-raw-loop',
    onBroker('Send to start when idle: p50, minus the raw loop', broker),
    'ms',
    ['at most', 2],
    p50('baton'),
    p50('raw-loop'),
  );
}

function scalingTarget(broker: Broker): Target {
  const throughput = of('scaling', 'throughput', broker)('baton');
  return ratioTarget(
    'scaling-10-workers',
    onBroker('Throughput of 10 workers, relative to 1, on sleeping tasks', broker),
    ['at least', 9.5],
    { ...throughput, at: 10 },
    { ...throughput, at: 1 },
  );
}

function trackedTarget(broker: Broker): Target {
  const writes = of('tracked', 'writes', broker)('baton-tracked');
  const text = onBroker('Writes per attempt of a tracked task', broker);
  return figureTarget('tracked-writes', text, 'writes/attempt', ['at most', 2], writes);
}

function firstRunTargets(): Target[] {
  const first = (name: string): Choice => ({ measure: 'first-run', figure: name });
  return [
    figureTarget('first-run-202', '`npm start` to the first 202', 's', ['at most', 5], first('first-202')),
    figureTarget(
      'first-run-test-line',
      '`npm test` to its first line',
      's',
      ['at most', 2],
      first('first-test-line'),
    ),
  ];
}

/** Targets of each function's bundle. A megabyte is a million bytes here, as package registries count. */
function bundleTargets(samples: readonly Sample[]): Target[] {
  const found = new Set(samples.flatMap((each) => (each.measure === 'bundle' ? [each.contender] : [])));
  const names = found.size > 0 ? [...found] : [undefined];
  return names.flatMap((contender) => {
    const whose = contender ?? 'each function';
    const choice = (name: string): Choice => ({ measure: 'bundle', figure: name, contender });
    const id = contender ? `-${contender}` : '';
    return [
      figureTarget(`bundle-size${id}`, `Bundle of ${whose}`, 'kB', ['at most', 1000], choice('size')),
      figureTarget(
        `bundle-import${id}`,
        `CPU of importing ${whose}`,
        'ms',
        ['below', 150],
        choice('import-cpu'),
      ),
    ];
  });
}

function flatMemoryTarget(broker: Broker): Target {
  const resident = of('growth-run', 'resident', broker)('baton');
  return ratioTarget(
    'growth-run-memory',
    onBroker('Memory in the last tenth of 1M tasks, relative to the second tenth', broker),
    ['at most', 1.05],
    { ...resident, reduce: (samples) => meanOfTenth(samples, 10) },
    { ...resident, reduce: (samples) => meanOfTenth(samples, 2) },
  );
}

/** The SQS brokers that Baton was measured on; `[undefined]` if there are none. */
function brokersOf(samples: readonly Sample[], measure: string): Broker[] {
  const found = samples.filter(
    (each) => each.measure === measure && each.contender.startsWith('baton') && each.broker !== 'redis',
  );
  return found.length > 0 ? [...new Set(found.map(({ broker }) => broker))] : [undefined];
}

/** The mean of a round's samples within one tenth of a run. `at` is the position of a sample in the run. */
function meanOfTenth(samples: readonly Sample[], tenth: number): number {
  const whole = Math.max(...samples.map(({ at = 0 }) => at));
  const within = samples.filter(
    ({ at = 0 }) => at > (whole * (tenth - 1)) / 10 && at <= (whole * tenth) / 10,
  );
  return mean(within, ({ value }) => value) ?? Number.NaN;
}

function largest(samples: readonly Sample[]): number {
  return Math.max(...samples.map(({ value }) => value));
}

/** The value for each queue. `at` is the number of queues. */
function perQueue({ value, at = 1 }: Sample): number {
  return value / at;
}
