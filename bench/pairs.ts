import type { Bench } from './bench.ts';
import type { Broker, BrokerName } from './brokers/broker.ts';
import type { Contender } from './contender.ts';

/** What is measured of one contender on one broker. */
export type Part = (contender: Contender, broker: Broker) => Promise<void>;

/**
 * Runs a part for those of the contenders that a broker can have, one after the other.
 *
 * @param at - what the measure varies; it names the part where it fails
 */
export async function onBroker(
  bench: Bench,
  name: BrokerName,
  contenders: readonly Contender[],
  part: Part,
  at?: number,
): Promise<void> {
  for (const contender of contendersOn(name, contenders)) {
    await bench.attempt({ contender: contender.name, broker: name, at }, async () =>
      part(contender, await bench.brokers.of(name)),
    );
  }
}

/** The same on the one broker that everything is measured on: fauxqs, or Redis for those that need it. */
export async function onOneBroker(
  bench: Bench,
  contenders: readonly Contender[],
  part: Part,
  at?: number,
): Promise<void> {
  for (const contender of contenders) {
    const name = contender.queues === 'redis' ? 'redis' : 'fauxqs';
    await onBroker(bench, name, [contender], part, at);
  }
}

/** Those of the contenders whose queues a broker can have. */
export function contendersOn(name: BrokerName, contenders: readonly Contender[]): readonly Contender[] {
  const queues = name === 'redis' ? 'redis' : 'sqs';
  return contenders.filter((each) => each.queues === queues);
}

/**
 * Those of the contenders who take part in a measure: the named ones, fewer in quick mode, or whoever was asked for by
 * name.
 *
 * @param full - default: all
 */
export function takingPart(
  { contenders, mode, named }: Pick<Bench, 'contenders' | 'mode' | 'named'>,
  { quick, full }: { readonly quick: readonly string[]; readonly full?: readonly string[] },
): readonly Contender[] {
  const names = named ? full : { quick, full }[mode];
  return names ? contenders.filter(({ name }) => names.includes(name)) : contenders;
}
