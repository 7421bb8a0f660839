import type { Bench } from './bench.ts';
import type { Broker, BrokerName } from './brokers/broker.ts';
import type { Contender } from './contender.ts';

/** Measures one contender on one broker. */
export type Part = (contender: Contender, broker: Broker) => Promise<void>;

/**
 * Runs a part for each contender that works with the broker, one after the other.
 *
 * @param at - the value that the measure varies. It names the part in a failure
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

/** Runs a part for each contender on the main broker: Redis for contenders that need it, fauxqs for all others. */
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

/** The contenders that work with a broker. */
export function contendersOn(name: BrokerName, contenders: readonly Contender[]): readonly Contender[] {
  const queues = name === 'redis' ? 'redis' : 'sqs';
  return contenders.filter((each) => each.queues === queues);
}

/**
 * The contenders that take part in a measure: `full` in full mode, `quick` in quick mode. If the user named contenders,
 * they take part in both modes, as far as `full` has them.
 *
 * @param full - names. Default: all
 */
export function takingPart(
  { contenders, mode, named }: Pick<Bench, 'contenders' | 'mode' | 'named'>,
  { quick, full }: { readonly quick: readonly string[]; readonly full?: readonly string[] },
): readonly Contender[] {
  const names = named ? full : { quick, full }[mode];
  return names ? contenders.filter(({ name }) => names.includes(name)) : contenders;
}
