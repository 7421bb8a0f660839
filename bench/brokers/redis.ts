import { type Broker, MissingError } from './broker.ts';

/** Starts Redis. @throws MissingError where there is none */
export async function startRedis(): Promise<Broker> {
  throw new MissingError('no redis-server on this machine');
}
