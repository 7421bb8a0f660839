import { describe, expect, test } from '@jest/globals';
import { readStack } from '../../stack/described-stack.ts';
import { routingOf } from '../routing.ts';

const routing = async (stage: string) => routingOf((await readStack(stage)).functions, stage);

describe('what leads where in containers', () => {
  test('is read from the functions.yml of every service', async () => {
    const { services, consumers } = await routing('dev');
    expect(Object.fromEntries(services)).toMatchObject({
      orders: 'order-service',
      notifications: 'notification-service',
      tasks: 'task-service',
    });
    expect(consumers.get('baton-dev-orderServiceOutcomes')).toEqual({
      service: 'order-service',
      handler: 'orderOutcomes',
      timeoutSeconds: 30,
    });
    // The one that the worker is on AWS is not among them, and neither are those that answer requests
    expect([...consumers.keys()].filter((name) => /worker|Api$/.test(name))).toEqual([]);
  });

  test('has the names of its stage', async () => {
    const names = [...(await routing('qa')).consumers.keys()];
    expect(names).toContain('baton-qa-notificationServiceDeliveries');
    expect(names.filter((name) => !name.startsWith('baton-qa-'))).toEqual([]);
  });
});
