import { onBroker } from './report/names.ts';
import { type Broker, of } from './series.ts';
import { differenceTarget, ratioTarget, type Target } from './target.ts';

/** Targets for the CPU per drained no-op task, relative to each rival on the same broker. */
export function cpuTargets(broker: Broker): Target[] {
  const cpu = of('drain', 'cpu', broker);
  const text = (rival: string): string => onBroker(`Worker CPU per no-op task, relative to ${rival}`, broker);
  return [
    ratioTarget(`drain-cpu-raw-loop`, text('the raw loop'), ['at most', 1.1], cpu('baton'), cpu('raw-loop')),
    ratioTarget(
      'drain-cpu-sqs-consumer',
      text('sqs-consumer, one message at a time'),
      ['at most', 0.4],
      cpu('baton'),
      cpu('sqs-consumer'),
    ),
    ratioTarget(
      'drain-cpu-sqs-consumer-batch',
      text('sqs-consumer, in batches'),
      ['below', 1],
      cpu('baton'),
      cpu('sqs-consumer-batch'),
    ),
    ratioTarget('drain-cpu-celery', text('Celery on SQS'), ['at most', 0.1], cpu('baton'), cpu('celery')),
  ];
}

/** Targets for the throughput of one worker on no-op tasks, relative to each rival on the same broker. */
export function throughputTargets(broker: Broker): Target[] {
  const throughput = of('drain', 'throughput', broker);
  const baton = throughput('baton');
  const text = (rival: string): string => onBroker(`Throughput of one worker, relative to ${rival}`, broker);
  const lines = [
    ratioTarget(
      'drain-throughput-raw-loop',
      text('the raw loop'),
      ['at least', 1],
      baton,
      throughput('raw-loop'),
    ),
    ratioTarget(
      'drain-throughput-sqs-consumer',
      text('sqs-consumer, one message at a time'),
      ['at least', 3],
      baton,
      throughput('sqs-consumer'),
    ),
    ratioTarget(
      'drain-throughput-sqs-consumer-batch',
      text('sqs-consumer, in batches'),
      ['at least', broker === 'elasticmq' ? 1.1 : 1.3],
      baton,
      throughput('sqs-consumer-batch'),
    ),
    ratioTarget(
      'drain-throughput-celery',
      text('Celery on SQS'),
      ['at least', 12],
      baton,
      throughput('celery'),
    ),
  ];
  // No limit: Redis is another kind of broker, so this is only shown
  const anchor = { ...throughput('bullmq'), broker: 'redis' };
  const shown = ratioTarget('drain-throughput-bullmq', text('BullMQ on Redis'), ['shown'], baton, anchor);
  return broker === 'fauxqs' ? [...lines, shown] : lines;
}

/** Target for the memory that a worker uses beyond the raw loop. */
export function peakMemoryTarget(broker: Broker): Target {
  const peak = of('drain', 'peak-memory', broker);
  return differenceTarget(
    'drain-peak-memory-raw-loop',
    onBroker('Peak memory of one worker, minus the raw loop', broker),
    'MB',
    ['at most', 40],
    peak('baton'),
    peak('raw-loop'),
  );
}
