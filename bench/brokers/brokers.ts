import type { Broker, BrokerName } from './broker.ts';
import { startElasticMq } from './elasticmq.ts';
import { startFauxqs, type Fauxqs } from './fauxqs.ts';
import { startRedis } from './redis.ts';

/** The brokers of a run. Each is started at its first use and kept until the end. */
export class Brokers {
  readonly #started = new Map<BrokerName, Promise<Broker>>();

  /** fauxqs, which counts requests. */
  fauxqs(): Promise<Fauxqs> {
    return this.of('fauxqs') as Promise<Fauxqs>;
  }

  /** A broker by its name. @throws MissingError if this machine lacks a program that it needs */
  of(name: BrokerName): Promise<Broker> {
    const started = this.#started.get(name) ?? START[name]();
    this.#started.set(name, started);
    return started;
  }

  /** The brokers that run. */
  async started(): Promise<Broker[]> {
    const started = await Promise.allSettled(this.#started.values());
    return started.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  }

  /** Stops all brokers. */
  async stop(): Promise<void> {
    const started = [...this.#started.values()];
    this.#started.clear();
    await Promise.all(started.map((broker) => broker.then((each) => each.stop()).catch(() => undefined)));
  }
}

const START: Readonly<Record<BrokerName, () => Promise<Broker>>> = {
  fauxqs: startFauxqs,
  elasticmq: startElasticMq,
  redis: startRedis,
};
