import { describe, expect, test } from '@jest/globals';
import { lanedContracts } from '@baton/common/contracts/lanes';
import type { TaskContract } from 'baton-tasks';
import { lanesByQueue, queuesOfLanes } from 'baton-tasks/tooling';
import { queueNameOfArn, queuesOf } from 'baton-dev/embedded/stack';
import { filesBelow } from './support/source.ts';
import { parts, servicesFunctions, servicesResources } from 'baton-dev/embedded/functions-yml';

const resources = servicesResources(parts, 'dev');
const queues = new Map(queuesOf(resources).map((queue) => [queue.name, queue]));
const modules = filesBelow('common/contracts').map((path) => import(`../${path}`) as Promise<object>);
const contracts = (await Promise.all(modules))
  .flatMap((module): unknown[] => Object.values(module))
  .filter(
    (value): value is TaskContract =>
      typeof value === 'object' && value !== null && 'timeoutSeconds' in value,
  );
const functions = Object.entries(servicesFunctions(parts, 'dev'));
const consumers = functions.flatMap(([name, { timeout = 29, events }]) =>
  events.flatMap(({ sqs }) =>
    sqs ? [{ name, timeout, sqs, queue: queueNameOfArn(sqs.arn, resources) }] : [],
  ),
);

describe('every queue', () => {
  test.each(contracts)(
    'of a contract is there, with its dead letter queue: $name on $queue',
    ({ queue, retry, timeoutSeconds }) => {
      const described = queues.get(`baton-dev-${queue}`);
      expect(described?.redrive?.to).toBe(`baton-dev-${queue}-dlq`);
      // SQS itself gives up later than the contract does, or the reason would be lost
      expect(described?.redrive?.maxReceiveCount).toBeGreaterThan(retry.maxAttempts);
      const consumer = consumers.find((each) => each.queue === described?.name);
      expect(consumer?.timeout).toBeGreaterThan(timeoutSeconds);
    },
  );

  test.each([...queues.values()].filter(({ redrive }) => redrive))(
    '$name keeps its dead letters longer than its messages',
    ({ attributes, redrive }) => {
      const deadLetters = queues.get(redrive?.to ?? '');
      expect(Number(deadLetters?.attributes['MessageRetentionPeriod'])).toBeGreaterThan(
        Number(attributes['MessageRetentionPeriod']),
      );
    },
  );

  test.each(consumers)(
    '$queue hides a message six times as long as $name may take, as AWS advises',
    ({ queue, timeout }) => {
      expect(Number(queues.get(queue)?.attributes['VisibilityTimeout'])).toBeGreaterThanOrEqual(6 * timeout);
    },
  );

  test.each([...queues.values()])('$name is encrypted', ({ attributes }) => {
    expect(attributes['SqsManagedSseEnabled']).toBe('true');
  });
});

test('every consumer reports the failed messages of a batch, and has a bound on its concurrency', () => {
  expect(consumers.length).toBeGreaterThan(3);
  for (const { sqs } of consumers) {
    expect(sqs).toMatchObject({
      functionResponseType: 'ReportBatchItemFailures',
      maximumConcurrency: expect.any(Number) as unknown,
    });
  }
});

describe('lanes', () => {
  const laned = contracts.filter(({ lanes }) => lanes);
  const names = [...lanesByQueue(contracts)].map(([queue, lanes]) => ({
    queue,
    others: [...queuesOfLanes(queue, lanes).keys()].filter((name) => name !== queue),
  }));

  test('of a contract are known wherever queues are created: it is in common/contracts/lanes.ts', () => {
    expect(new Set(lanedContracts)).toEqual(new Set(laned));
    expect(laned.length).toBeGreaterThan(0);
  });

  test.each(names)('of $queue have queues like their own, and a consumer each', ({ queue, others }) => {
    const base = queues.get(`baton-dev-${queue}`);
    const consumerOf = (name: string) => {
      const { queue: _queue, sqs, ...consumer } = consumers.find((each) => each.queue === name) ?? {};
      const { arn: _arn, ...settings } = sqs ?? {};
      return { ...consumer, ...settings };
    };
    for (const name of others) {
      expect(queues.get(`baton-dev-${name}`)).toEqual({ ...base, name: `baton-dev-${name}` });
      expect(consumerOf(`baton-dev-${name}`)).toEqual(consumerOf(`baton-dev-${queue}`));
    }
    expect(others.length).toBeGreaterThan(0);
    expect(consumerOf(`baton-dev-${queue}`)).toHaveProperty('name');
  });
});
