import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { createLogger } from '../../../telemetry/logger.ts';
import { type Backends, startBackends } from '../../../../tests/support/backends.ts';
import { BROKEN_ANSWERS } from 'baton-dev/testing/broken-answers';
import { eventually } from 'baton-dev/testing/eventually';
import { Proxy } from 'baton-dev/testing/proxy';
import { connect, type Connections, disconnect } from '../../connections.ts';
import { Receiver } from '../../receiver.ts';
import { Slots } from '../../slots.ts';

let backends: Backends;
let proxy: Proxy;
let connections: Connections;
const before = { ...process.env };

beforeAll(async () => {
  backends = await startBackends(['default']);
  proxy = await Proxy.start(backends.environment['AWS_ENDPOINT_URL_SQS'] ?? '');
  Object.assign(process.env, backends.environment, { AWS_ENDPOINT_URL_SQS: proxy.endpoint });
  connections = connect({ waitSeconds: 1, leaseSeconds: 30 });
});
afterAll(async () => {
  process.env = { ...before };
  disconnect(connections);
  await proxy.stop();
  await backends.stop();
});

function receiverBy(sqs: SQSClient): Receiver {
  return new Receiver({
    sqs,
    queue: 'default',
    queueUrl: backends.queueUrls.of('default'),
    slots: new Slots(10),
    queues: 1,
    waitSeconds: 1,
    leaseSeconds: 30,
    logger: createLogger({ service: 'tests', level: 'silent' }),
    runner: { run: async () => undefined, runIfSlotIsFree: async () => undefined },
  });
}

/** The answer of an empty queue is empty too, so a receiver cannot recognize these. */
const EMPTY = new Set(['200 with {}', '200 with nothing', '200 with null', '200 with an array']);

test.each(BROKEN_ANSWERS.filter(([what]) => !EMPTY.has(what)))(
  'a receiver that gets the answer %s reports that it does not receive, until it does again',
  async (_what, answer) => {
    const receiver = receiverBy(connections.receiving);
    receiver.start();
    await eventually('a receive', () => receiver.state.receiving);
    proxy.change('garbage', { ...answer, action: 'ReceiveMessage' });
    await eventually('trouble', () => !receiver.state.receiving);
    proxy.change('pass');
    await eventually('a receive', () => receiver.state.receiving);
    await receiver.stop();
    expect(receiver.state.receiving).toBe(true);
  },
);
