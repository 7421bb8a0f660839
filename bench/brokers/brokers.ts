import type { Broker, BrokerName } from './broker.ts';
import { startElasticMq } from './elasticmq.ts';
import { startFauxqs, type Fauxqs } from './fauxqs.ts';
import { startRedis } from './redis.ts';

/** The brokers of a run: each is started when it is first asked for, and kept until the end. */
export class Brokers {
  readonly #started = new Map<BrokerName, Promise<Broker>>();

  /** A broker that counts requests. */
  fauxqs(): Promise<Fauxqs> {
    return this.of('fauxqs') as Promise<Fauxqs>;
  }

  /** The broker of that name. @throws MissingError where this machine lacks what it needs */
  of(name: BrokerName): Promise<Broker> {
    const started = this.#started.get(name) ?? START[name]();
    this.#started.set(name, started);
    return started;
  }

  /** Those that were started, and run. */
  async started(): Promise<Broker[]> {
    const started = await Promise.allSettled(this.#started.values());
    return started.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  }

  /** Ends those that were started. */
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
