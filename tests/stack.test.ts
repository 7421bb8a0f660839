import { describe, expect, test } from '@jest/globals';
import { attributesOf } from 'baton-dev/embedded/create-resources';
import { readStack } from 'baton-dev/stack/described-stack';
import { queueNameOfArn, queuesOf } from 'baton-dev/stack/queues';
import { lanesByQueue, queuesOfLanes } from 'baton-tasks/tooling';

const { functions, resources, contracts } = await readStack('dev');
const queues = new Map(queuesOf(resources).map((queue) => [queue.name, queue]));
const consumers = Object.entries(functions).flatMap(([name, { timeout = 29, events = [] }]) =>
  events.flatMap(({ sqs }) =>
    sqs ? [{ name, timeout, sqs, queue: queueNameOfArn(name, sqs.arn, resources) }] : [],
  ),
);

describe('every queue', () => {
  test.each(contracts)(
    'of a contract is there, with its dead letter queue: $name on $queue',
    ({ queue, retry, timeoutSeconds }) => {
      const described = queues.get(`baton-dev-${queue}`);
      expect(described?.deadLetters?.name).toBe(`baton-dev-${queue}-dlq`);
      // SQS itself gives up later than the contract does, or the reason would be lost
      expect(described?.deadLetters?.maxReceiveCount).toBeGreaterThan(retry.maxAttempts);
      const consumer = consumers.find((each) => each.queue === described?.name);
      expect(consumer?.timeout).toBeGreaterThan(timeoutSeconds);
    },
  );

  test.each([...queues.values()].filter(({ deadLetters }) => deadLetters))(
    '$name keeps its dead letters longer than its messages',
    ({ properties, deadLetters }) => {
      const own = queues.get(deadLetters?.name ?? '');
      expect(Number(own?.properties['MessageRetentionPeriod'])).toBeGreaterThan(
        Number(properties['MessageRetentionPeriod']),
      );
    },
  );

  test.each(consumers)(
    '$queue hides a message six times as long as $name may take, as AWS advises',
    ({ queue, timeout }) => {
      expect(Number(queues.get(queue)?.properties['VisibilityTimeout'])).toBeGreaterThanOrEqual(6 * timeout);
    },
  );

  test.each([...queues.values()])('$name is encrypted', (queue) => {
    expect(attributesOf(queue)['SqsManagedSseEnabled']).toBe('true');
  });
});

test('every consumer reports the failed messages of a batch, and has a bound on its concurrency', () => {
  expect(consumers.length).toBeGreaterThan(0);
  for (const { sqs } of consumers) {
    expect(sqs).toMatchObject({
      functionResponseType: 'ReportBatchItemFailures',
      maximumConcurrency: expect.any(Number) as unknown,
    });
  }
});

describe('lanes', () => {
  const names = [...lanesByQueue(contracts)].map(([queue, lanes]) => ({
    queue,
    others: [...queuesOfLanes(queue, lanes).keys()].filter((name) => name !== queue),
  }));

  test('have queues like their own, and a consumer each', () => {
    const consumerOf = (name: string) => {
      const { queue: _queue, sqs, ...consumer } = consumers.find((each) => each.queue === name) ?? {};
      const { arn: _arn, ...settings } = sqs ?? {};
      return { ...consumer, ...settings };
    };
    for (const { queue, others } of names) {
      const base = queues.get(`baton-dev-${queue}`);
      for (const name of others) {
        expect(queues.get(`baton-dev-${name}`)).toMatchObject({
          ...base,
          id: expect.any(String) as unknown,
          name: `baton-dev-${name}`,
        });
        expect(consumerOf(`baton-dev-${name}`)).toEqual(consumerOf(`baton-dev-${queue}`));
      }
      expect(others.length).toBeGreaterThan(0);
      expect(consumerOf(`baton-dev-${queue}`)).toHaveProperty('name');
    }
  });
});
