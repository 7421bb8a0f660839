// ElasticMQ.
import { type JavaPackage, JavaServer } from './java-server.ts';
import { freePort } from '../program.ts';

const HOST = '127.0.0.1';

/** ElasticMQ, another emulator of SQS. */
export const ELASTICMQ: JavaPackage = {
  folder: 'elasticmq',
  artifact: 'elasticmq-server_3',
  mainClass: 'org.elasticmq.server.Main',
};

/**
 * Starts an ElasticMQ that only this machine reaches.
 *
 * @param heapMb - the most memory of the server, in MiB. Default 256
 */
export async function startElasticMq(heapMb = 256): Promise<JavaServer> {
  const port = await freePort();
  const settings = Object.entries(settingsOf(port)).map(([name, value]) => `-D${name}=${value}`);
  return JavaServer.start(ELASTICMQ, {
    endpoint: `http://${HOST}:${port}`,
    javaOptions: () => [`-Xmx${heapMb}m`, ...settings],
  });
}

function settingsOf(port: number): Record<string, string | number | boolean> {
  return {
    'rest-sqs.bind-hostname': HOST,
    'rest-sqs.bind-port': port,
    'rest-sqs.sqs-limits': 'strict',
    'rest-stats.enabled': false,
    // The address in queue URLs, and the account in ARNs
    'node-address.host': HOST,
    'node-address.port': port,
    'generate-node-address': false,
    'aws.region': 'us-east-1',
    'aws.accountId': '000000000000',
  };
}
