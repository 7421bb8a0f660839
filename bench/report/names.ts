import type { Sample } from '../results.ts';

const CONTENDERS: Readonly<Record<string, string>> = {
  baton: 'Baton',
  'baton-tracked': 'Baton, tracked',
  'raw-loop': 'raw SDK loop',
  'sqs-consumer': 'sqs-consumer',
  'sqs-consumer-single': 'sqs-consumer, single',
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

/** The order of the contenders on the page: Baton first, the contender on another broker last. */
const ORDER = Object.keys(CONTENDERS);

/** A contender's name for readers. */
export function contenderName(contender: string): string {
  return CONTENDERS[contender] ?? contender;
}

/** A broker's name for readers. */
export function brokerName(broker: string): string {
  return BROKERS[broker] ?? broker;
}

/** The contenders of samples, in the order of the page. Unknown contenders come last. */
export function contendersOf(samples: readonly Sample[]): string[] {
  const place = (name: string): number => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
  return [...new Set(samples.map(({ contender }) => contender))].toSorted((a, b) => place(a) - place(b));
}

/** The SQS brokers of samples, each with its samples and those of Redis, which are shown beside them. */
export function byBroker(samples: readonly Sample[]): { broker: string | undefined; samples: Sample[] }[] {
  const found = [...new Set(samples.map(({ broker }) => broker))];
  const onSqs = found.filter((broker) => broker !== 'redis');
  return (onSqs.length > 0 ? onSqs : found).map((broker) => ({
    broker,
    samples: samples.filter((sample) => sample.broker === broker || sample.broker === 'redis'),
  }));
}

/** A text with the broker's name in brackets, if there is a broker. */
export function onBroker(text: string, broker: string | undefined): string {
  return broker ? `${text} (${brokerName(broker)})` : text;
}
