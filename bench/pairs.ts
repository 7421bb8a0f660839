import type { Bench } from './bench.ts';
import type { Broker, BrokerName } from './brokers/broker.ts';
import type { Contender } from './contender.ts';

/** The brokers that a contender can be measured on. */
export function brokersOf({ queues }: Contender): readonly BrokerName[] {
  return queues === 'redis' ? ['redis'] : ['fauxqs', 'elasticmq'];
}

/** Runs a part for every contender on every broker that it can be on, one after the other. */
export async function onEveryBroker(
  bench: Bench,
  part: (contender: Contender, broker: Broker) => Promise<void>,
): Promise<void> {
  for (const name of ['fauxqs', 'elasticmq', 'redis'] as const)
    await onBroker(bench, name, bench.contenders, part);
}

/** Runs a part for every contender on the one broker that all are measured on: fauxqs, or Redis for those that need it. */
export async function onOneBroker(
  bench: Bench,
  part: (contender: Contender, broker: Broker) => Promise<void>,
): Promise<void> {
  for (const contender of bench.contenders) {
    const [broker] = brokersOf(contender);
    if (broker) await onBroker(bench, broker, [contender], part);
  }
}

async function onBroker(
  bench: Bench,
  name: BrokerName,
  contenders: readonly Contender[],
  part: (contender: Contender, broker: Broker) => Promise<void>,
): Promise<void> {
  for (const contender of contenders.filter((each) => brokersOf(each).includes(name))) {
    await bench.attempt({ contender: contender.name, broker: name }, async () =>
      part(contender, await bench.brokers.of(name)),
    );
  }
}
