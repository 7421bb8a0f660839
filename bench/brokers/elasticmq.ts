import { ELASTICMQ, startElasticMq as start } from 'baton-dev/testing/brokers/elasticmq';
import { missingFor, versionOf } from 'baton-dev/testing/brokers/java-server';
import { type Broker, MissingError } from './broker.ts';
import { SqsQueues } from './sqs-queues.ts';

const HEAP_MB = 1024;

/** Starts ElasticMQ. @throws MissingError if this machine has no Java */
export async function startElasticMq(): Promise<Broker> {
  const missing = await missingFor(ELASTICMQ);
  if (missing !== undefined) throw new MissingError(`no ${missing} on this machine`);
  const server = await start(HEAP_MB);
  const queues = new SqsQueues(server.endpoint);
  return {
    name: 'elasticmq',
    version: versionOf(ELASTICMQ),
    environment: queues.environment,
    createQueue: (leaseSeconds) => queues.create(leaseSeconds),
    messagesIn: (queueUrl) => queues.messagesIn(queueUrl),
    deleteQueue: (queueUrl) => queues.delete(queueUrl),
    stop: () => {
      queues.close();
      return server.stop();
    },
  };
}
