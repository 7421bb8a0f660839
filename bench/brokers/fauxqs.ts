import { pinnedVersion } from '../versions.ts';
import type { Broker } from './broker.ts';
import { CountingServer, type RequestCounts } from './counting-server.ts';
import { SqsQueues } from './sqs-queues.ts';

/** fauxqs, which counts its requests. */
export interface Fauxqs extends Broker {
  /** The counts since the last call. Resets them. */
  takeCounts(): Promise<RequestCounts>;
}

/** Starts fauxqs in a process of its own. */
export async function startFauxqs(): Promise<Fauxqs> {
  const server = await CountingServer.start('fauxqs-server.ts');
  const queues = new SqsQueues(server.endpoint);
  return {
    name: 'fauxqs',
    version: pinnedVersion('fauxqs'),
    environment: queues.environment,
    createQueue: (leaseSeconds) => queues.create(leaseSeconds),
    messagesIn: (queueUrl) => queues.messagesIn(queueUrl),
    deleteQueue: (queueUrl) => queues.delete(queueUrl),
    takeCounts: () => server.takeCounts(),
    stop: () => {
      queues.close();
      return server.stop();
    },
  };
}
