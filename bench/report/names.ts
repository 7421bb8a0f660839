import type { Sample } from '../results.ts';

const CONTENDERS: Readonly<Record<string, string>> = {
  baton: 'Baton',
  'baton-tracked': 'Baton, tracked',
  'raw-loop': 'raw SDK loop',
  'sqs-consumer': 'sqs-consumer',
  'sqs-consumer-single': 'sqs-consumer, one a receive',
  'sqs-consumer-batch': 'sqs-consumer, batches',
  'message-queue-toolkit': 'message-queue-toolkit',
  powertools: 'middy + Powertools',
  celery: 'Celery',
  bullmq: 'BullMQ (Redis)',
};

const BROKERS: Readonly<Record<string, string>> = {
  fauxqs: 'fauxqs',
  elasticmq: 'ElasticMQ',
  redis: 'Redis',
};

/** Who takes part, from the one that all of this is about to the one that is on another broker. */
const ORDER = Object.keys(CONTENDERS);

/** What a reader calls somebody who takes part. */
export function contenderName(contender: string): string {
  return CONTENDERS[contender] ?? contender;
}

/** What a reader calls a broker. */
export function brokerName(broker: string): string {
  return BROKERS[broker] ?? broker;
}

/** Those who take part, in the order in which they are always shown; strangers come last, as they were found. */
export function contendersOf(samples: readonly Sample[]): string[] {
  const place = (name: string): number => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
  return [...new Set(samples.map(({ contender }) => contender))].toSorted((a, b) => place(a) - place(b));
}

/** The brokers of samples that are on SQS, each with the samples taken there and those of Redis, which go beside. */
export function byBroker(samples: readonly Sample[]): { broker: string | undefined; samples: Sample[] }[] {
  const found = [...new Set(samples.map(({ broker }) => broker))];
  const onSqs = found.filter((broker) => broker !== 'redis');
  return (onSqs.length > 0 ? onSqs : found).map((broker) => ({
    broker,
    samples: samples.filter((sample) => sample.broker === broker || sample.broker === 'redis'),
  }));
}

/** What is said of a broker, with its name where there is one. */
export function onBroker(text: string, broker: string | undefined): string {
  return broker ? `${text} (${brokerName(broker)})` : text;
}
