import { describe, expect, test } from '@jest/globals';
import { defineTask, type TaskContract } from 'baton-tasks';
import * as z from 'zod';
import { describeStack } from '../described-stack.ts';
import type { Part } from '../part.ts';
import { StackError } from '../stack-error.ts';

const contractOn = (queue: string, more: Partial<TaskContract> = {}): TaskContract =>
  defineTask({
    name: `${queue}.do`,
    queue,
    payload: z.object({}),
    result: z.void(),
    retry: { maxAttempts: 1, baseSeconds: 1 },
    timeoutSeconds: 10,
    ...more,
  });

const queueCalled = (QueueName: string) => ({ Type: 'AWS::SQS::Queue', Properties: { QueueName } });
const settings = { batchSize: 10, maximumConcurrency: 2 };
const worker: Part = {
  functions: { worker: { handler: 'worker/lambda.handler', events: [{ sqs: settings }] } },
};
const service: Part = {
  functions: { other: { handler: 'x.y', events: [{ sqs: { arn: { 'Fn::GetAtt': ['Other', 'Arn'] } } }] } },
  resources: {
    Resources: {
      Work: queueCalled('baton-dev-work'),
      Jobs: queueCalled('baton-dev-jobs'),
      Other: queueCalled('baton-dev-other'),
    },
  },
};
const eventsOf = (implemented: readonly TaskContract[], contracts = implemented) =>
  describeStack({ parts: [service, worker], contracts, implemented, stage: 'dev' }).functions['worker']
    ?.events;
const on = (id: string) => ({ sqs: { arn: { 'Fn::GetAtt': [id, 'Arn'] }, ...settings } });

describe('an event of the worker without a queue', () => {
  test('stands for each queue with a task that it implements, and no other', () => {
    expect(eventsOf([contractOn('work'), contractOn('jobs')], [contractOn('other')])).toEqual([
      on('Jobs'),
      on('Work'),
    ]);
    expect(eventsOf([])).toEqual([]);
  });

  test('stands for a queue and each of its lanes once, for any number of tasks', () => {
    const lanes = { lanes: { high: 2, low: 1 }, defaultLane: 'low' };
    expect(eventsOf([contractOn('work', lanes), contractOn('work', { name: 'work.undo' })])).toEqual([
      on('Work'),
      on('WorkHighLane'),
    ]);
  });

  test('is refused with the contract if a queue is not described anywhere', () => {
    const says = 'The contract nowhere.do is on the queue nowhere: expected a queue baton-dev-nowhere';
    expect(() => eventsOf([contractOn('nowhere')])).toThrow(says);
    expect(() => eventsOf([contractOn('nowhere')])).toThrow(StackError);
    expect(eventsOf([], [contractOn('nowhere')])).toEqual([]);
  });
});
