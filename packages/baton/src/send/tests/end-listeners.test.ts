import { describe, expect, jest, test } from '@jest/globals';
import { QueueUrls } from '../../sqs/queue-urls.ts';
import { defineTask, type TaskContract } from '../../task/task.ts';
import { TaskClient } from '../task-client.ts';
import { taskEndSchema } from '../../task/task-end.ts';
import * as z from 'zod';
import { work } from '../../tracked/tests/tracked-work.ts';

const listening = defineTask({
  name: 'tests.listening',
  queue: 'default',
  payload: taskEndSchema,
  result: z.object({}),
  retry: { maxAttempts: 8, baseSeconds: 5 },
  timeoutSeconds: 20,
});

describe('a send', () => {
  test.each<[string, TaskContract, object, string]>([
    [
      'with a listener to a task that is not tracked',
      { ...work, tracked: false },
      { onEnd: listening },
      'tests.tracked is not tracked',
    ],
    ['with a listener whose payload is not a task end', work, { onEnd: work }, 'payload is taskEndSchema'],
    ['with an empty subject', work, { subject: '' }, 'subject'],
    ['with a subject that is too long', work, { subject: 's'.repeat(129) }, '128'],
    ['with half a surrogate pair as its subject', work, { subject: '\uD83E' }, 'surrogate pair'],
  ])('%s is refused, and nothing is sent', async (_what, contract, options, says) => {
    const send = jest.fn();
    const queueUrls = new QueueUrls('http://sqs/0/');
    const tasks = new TaskClient({
      sqs: { send } as never,
      queueUrls,
      source: 'tests',
      records: {} as never,
    });
    await expect(tasks.send(contract as typeof work, { text: 'x' }, options)).rejects.toMatchObject({
      name: 'InvalidValueError',
      message: expect.stringContaining(says) as unknown,
    });
    expect(send).not.toHaveBeenCalled();
  });
});

describe('defineTask refuses a contract with onEnd', () => {
  test.each<[string, object, string]>([
    [
      'if its own task is not tracked',
      { ...work, tracked: false, onEnd: listening },
      'expected tracked: true',
    ],
    [
      'if the payload of the listener is not taskEndSchema',
      { ...work, onEnd: work },
      'payload is taskEndSchema',
    ],
  ])('%s', (_what, contract, says) => {
    expect(() => defineTask(contract as typeof work)).toThrow(says);
  });
});
